import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FINE, QUANTILES, Recent, fine } from '../lib/metrics/recent.js'

function counted (...seconds) {
  const counts = new Float64Array(FINE)
  for (const each of seconds) counts[fine(each)] += 1
  return counts
}

test('a known time shows within three percent', () => {
  for (const known of [20e-6, 100e-6, 0.001, 0.0025, 0.101, 1.05, 40]) {
    const found = new Recent().quantiles(counted(known, known, known))
    assert.deepEqual(found.map(([quantile]) => quantile), QUANTILES)
    for (const [, shown] of found) assert.ok(Math.abs(shown / known - 1) < 0.03, `${known}: ${shown}`)
  }
})

test('ten seconds later nothing is left', () => {
  let now = 0
  const recent = new Recent(() => now)
  const counts = counted(0.1)
  for (let second = 1; second <= 30; second += 1) {
    now = second * 1000
    assert.equal(recent.quantiles(counts).length > 0, second <= 10, `second ${second}`)
  }
})

test('after a long silence it has nothing to say once', () => {
  let now = 0
  const recent = new Recent(() => now)
  now = 60_000
  assert.deepEqual(recent.quantiles(counted(0.1)), [])
  now = 62_000
  assert.equal(recent.quantiles(counted(0.1, 2)).length, 3)
})
