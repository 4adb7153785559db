import { writeSync } from 'node:fs'
import { ServerResponse } from 'node:http'
import { DOUBLES, FIRST_SERIES, METHODS, PLACE, SERIES, observe } from './layout.js'
import { fine } from './recent.js'
import { ROUTE_LABELS, routeOf } from '../contract/routes.js'

const PERIOD_MS = 100
const FRESH_MS = 5
/**
 * Paths that percentiles leave out: no load asks the probes, which would flatter a service under load, and
 * a stream lasts as long as its client wants.
 */
const UNTIMED = new Set(['/about', '/healthz', '/readyz', '/stream'])
const WINDOW = 10 // the worst of the last second, so that a scrape a second misses nothing

/**
 * What a worker counts. It adds to doubles and writes them to its file, so that the primary can read a
 * worker that is too busy to answer it: within FRESH_MS, as a write in every turn of the event loop costs
 * as much as a short request. A worker that is killed loses the counts of that time.
 */
export class Recorder {
  #values = new Float64Array(DOUBLES)
  #bytes = Buffer.from(this.#values.buffer)
  #series = new Map()
  #last = {}
  #file
  #scheduled = false
  #flushed = 0
  #pool

  /** @param {number} file descriptor to write to */
  constructor (file) {
    this.#file = file
    this.#watchLoop()
    this.#flush(performance.now())
    process.once('exit', () => this.#flush(performance.now()))
  }

  /**
   * The class of responses that are counted, for the option `ServerResponse` of an http server: from the
   * request's head until the answer is ready, also where the client has hung up by then. Fastify's hooks
   * would do, and cost a short request a tenth more.
   */
  responses () {
    const recorder = this
    return class extends ServerResponse {
      #began = recorder.#begin()
      #inPieces = false

      write (chunk, encoding, callback) {
        // An answer that comes in pieces has no `end` where its client leaves in the middle.
        if (!this.#inPieces) this.once('close', () => this.#ended())
        this.#inPieces = true
        return super.write(chunk, encoding, callback)
      }

      end (data, encoding, callback) {
        this.#ended()
        return super.end(data, encoding, callback)
      }

      #ended () {
        if (this.#began) recorder.#finish(this.req, this.statusCode, this.#began)
        this.#began = 0
      }
    }
  }

  /** Read a pg pool's sizes whenever the values are written. */
  watchPool (pool) {
    this.#pool = pool
  }

  /** A request waited `seconds` for its connection. */
  waited (seconds) {
    observe(this.#values, PLACE.wait, seconds)
    this.#values[PLACE.fineWait + fine(seconds)] += 1
    this.#schedule()
  }

  #begin () {
    const now = performance.now()
    this.#values[PLACE.active] += 1
    // What the request does may hold up this very turn, and should be seen to.
    if (now - this.#flushed > FRESH_MS) this.#flush(now)
    else this.#schedule()
    return now
  }

  #finish ({ url, method }, status, began) {
    this.#values[PLACE.active] -= 1
    const route = routeOf(url)
    const seconds = (performance.now() - began) / 1000
    observe(this.#values, this.#place(route, method, status) + 3, seconds)
    if (!UNTIMED.has(route)) this.#values[PLACE.fine + fine(seconds)] += 1
    this.#schedule()
  }

  #place (route, method, status) {
    const last = this.#last // most often the series of the request before
    if (last.status === status && last.route === route && last.method === method) return last.place
    const key = `${route} ${method} ${status}`
    const place = this.#series.get(key) ?? this.#add(key, route, method, status)
    this.#last = { route, method, status, place }
    return place
  }

  #add (key, route, method, status) {
    const known = METHODS.includes(method) ? METHODS.indexOf(method) : METHODS.length - 1
    const place = FIRST_SERIES + SERIES * this.#values[PLACE.series]
    this.#values.set([ROUTE_LABELS.indexOf(route), known, status], place)
    this.#values[PLACE.series] += 1
    this.#series.set(key, place)
    return place
  }

  #schedule () {
    if (this.#scheduled) return
    this.#scheduled = true
    setTimeout(() => this.#flush(performance.now()), FRESH_MS)
  }

  #flush (now) {
    this.#scheduled = false
    this.#flushed = now
    const values = this.#values
    if (this.#pool) {
      values[PLACE.used] = this.#pool.totalCount - this.#pool.idleCount
      values[PLACE.idle] = this.#pool.idleCount
      values[PLACE.pending] = this.#pool.waitingCount
      values[PLACE.max] = this.#pool.options.max
    }
    this.#write(PLACE.active, FIRST_SERIES + SERIES * values[PLACE.series])
  }

  #write (begin, end) {
    writeSync(this.#file, this.#bytes, 8 * begin, 8 * (end - begin), 8 * begin)
  }

  #watchLoop () {
    const recent = []
    let due = performance.now()
    const wake = () => {
      const now = performance.now()
      if (recent.push(Math.max(0, now - due) / 1000) > WINDOW) recent.shift()
      this.#values[PLACE.lag] = Math.max(...recent)
      this.#values[PLACE.beat] = Date.now()
      this.#write(PLACE.fine, PLACE.active) // too long to be written in every turn
      this.#schedule()
      due = performance.now() + PERIOD_MS
      setTimeout(wake, PERIOD_MS).unref()
    }
    wake()
  }
}
