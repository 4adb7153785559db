const WINDOW_MS = 10_000
const APART_MS = 1000 // between two looks that are kept, however often somebody asks
export const QUANTILES = [0.5, 0.95, 0.99]

/**
 * Upper ends in seconds of buckets that are 2 % wide, from 10 µs to 100 s; one more takes what is
 * beyond. The standard buckets are too wide for a percentile: these stay in the service, and a
 * scrape shows quantiles.
 */
const FINE_S = [...fineBounds()]
export const FINE = FINE_S.length + 1

function * fineBounds () {
  const parts = [[1, 2.5, 46], [2.5, 5, 35], [5, 10, 35]]
  for (let decade = -5; decade < 2; decade += 1) {
    for (const [low, high, steps] of parts) {
      for (let step = 0; step < steps; step += 1) {
        yield Number(`${(low * (high / low) ** (step / steps)).toFixed(6)}e${decade}`)
      }
    }
  }
  yield 100
}

/** Which of the FINE buckets counts so many seconds. */
export const fine = (seconds) => firstFrom(FINE_S, seconds)

/** The first index whose value is at least `wanted`; the length where there is none. */
function firstFrom (ascending, wanted) {
  let [low, high] = [0, ascending.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ascending[middle] < wanted) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * The quantiles of what was counted in the last ten seconds. The window begins with the youngest
 * look that is as old, or else the oldest; after two windows without a look it is silent once.
 */
export class Recent {
  #looks
  #now

  /** @param {() => number} now milliseconds of a clock that never goes back */
  constructor (now = () => performance.now()) {
    this.#now = now
    this.#looks = [{ at: now(), counts: new Float64Array(FINE) }]
  }

  /** [quantile, seconds] of each; `counts`: each bucket's since the beginning. Empty without any. */
  quantiles (counts) {
    const now = this.#now()
    const oldest = now - 2 * WINDOW_MS
    const looks = this.#looks
    while (looks.length > 1 && (now - looks[1].at >= WINDOW_MS || looks[0].at < oldest)) looks.shift()
    const before = looks[0]
    if (now - looks.at(-1).at >= APART_MS) looks.push({ at: now, counts })
    let total = 0
    const running = counts.map((count, index) => (total += count - before.counts[index]))
    if (total === 0 || before.at < oldest) return []
    return QUANTILES.map((share) => [share, quantile(share, running)])
  }
}

/** Linear within a bucket; `running`: counts of each bucket and all below. */
function quantile (share, running) {
  const wanted = share * running.at(-1)
  const index = firstFrom(running, wanted)
  if (index >= FINE_S.length) return FINE_S.at(-1)
  const [below, low] = index > 0 ? [running[index - 1], FINE_S[index - 1]] : [0, 0]
  return low + (FINE_S[index] - low) * (wanted - below) / (running[index] - below)
}
