import { fstatSync, readSync } from 'node:fs'
import { createServer } from 'node:http'
import { AggregatorRegistry } from 'prom-client'
import { BOUNDS_S, FIRST_SERIES, HISTOGRAM, METHODS, PLACE, SERIES } from './layout.js'
import { backlog, usage } from './processes.js'
import { FINE, Recent } from './recent.js'
import { ROUTE_LABELS } from '../contract/routes.js'
import { Scrapes } from './scrapes.js'

const PERIOD_S = 0.1
const CONNECTIONS = 64 // open at once; what comes beyond is closed

/** Serves the metrics of all workers from the primary, which handles no request of the service. */
export class Exporter {
  #workers = new Map() // pid -> {file, alive}
  #scrapes = new Scrapes(() => this.#collect())
  #durations = new Recent()
  #waits = new Recent()
  #about
  #port

  /** @param {object} about the document of /about; @param {number} port where the service listens */
  constructor (about, port) {
    this.#about = about
    this.#port = port
  }

  /** Read a worker's file from now on. */
  add (pid, file) {
    this.#workers.set(pid, { file, alive: true })
  }

  /** A worker has ended: its counts stay, its gauges go. */
  remove (pid) {
    const worker = this.#workers.get(pid)
    if (worker) worker.alive = false
  }

  /** Serve /metrics; resolves with the server once it listens. */
  listen (port, host) {
    const server = createServer((request, response) => this.#answer(request, response))
    server.keepAliveTimeout = 75_000
    server.maxConnections = CONNECTIONS
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => resolve(server))
    })
  }

  #answer (request, response) {
    if (request.url.split('?', 1)[0] !== '/metrics') return response.writeHead(404).end()
    this.#scrapes.answer(response)
  }

  async #collect () {
    const registry = AggregatorRegistry.aggregate([this.#metrics()])
    return { type: registry.contentType, text: await registry.metrics() }
  }

  #metrics () {
    const workers = [...this.#workers].map(([pid, worker]) => ({ pid, ...worker, values: doubles(worker.file) }))
    return [
      ...requests(workers),
      ...pool(workers.filter((worker) => worker.alive), workers),
      recent('lab_recent_request_duration_seconds', 'pick-up to answer',
        this.#durations, total(workers, PLACE.fine)),
      recent('lab_recent_connection_wait_seconds', 'asking to a connection',
        this.#waits, total(workers, PLACE.fineWait)),
      ...this.#process(workers.filter((worker) => worker.alive))
    ]
  }

  #process (alive) {
    const { cpuSeconds, pssBytes, threads, processes } =
      usage([process.pid, ...alive.map((worker) => worker.pid)])
    const { framework, server, model, versions, slots } = this.#about
    return [
      gauge('lab_slots', 'Requests that can wait for the database at once', slots),
      gauge('lab_slots_busy', 'Slots taken', sum(alive, PLACE.used)),
      gauge('lab_accept_backlog', 'Connections that wait to be accepted', backlog(this.#port)),
      gauge('lab_scheduling_lag_seconds', 'How late a timer fired, the worst of the last second',
        Math.max(0, ...alive.map(lag)), { kind: 'event_loop' }),
      gauge('lab_threads', 'Threads of the process tree', threads),
      gauge('lab_processes', 'Processes of the tree', processes),
      counter('lab_process_cpu_seconds_total', 'CPU time of the process tree', cpuSeconds),
      gauge('lab_process_pss_bytes', 'Proportional set size of the process tree', pssBytes),
      gauge('lab_build_info', 'What the service is', 1, {
        framework, server, model, language: 'JavaScript', language_version: versions.node
      })
    ]
  }
}

/** The doubles that a worker has written so far. */
function doubles (file) {
  const values = new Float64Array(Math.max(FIRST_SERIES, fstatSync(file).size / 8))
  readSync(file, Buffer.from(values.buffer), 0, values.byteLength, 0)
  // The worker may be writing: a series that begins after the end of what was read counts next time.
  const whole = Math.floor((values.length - FIRST_SERIES) / SERIES)
  values[PLACE.series] = Math.min(values[PLACE.series], whole)
  return values
}

/** A worker that is stuck cannot say so: the time since its last sign of life says it. */
function lag ({ values }) {
  const silent = (Date.now() - values[PLACE.beat]) / 1000 - PERIOD_S
  return values[PLACE.beat] ? Math.max(values[PLACE.lag], silent) : 0
}

function requests (workers) {
  const duration = []
  const perWorker = workers.map(({ pid, values }) => {
    let count = 0
    for (let index = 0; index < values[PLACE.series]; index += 1) {
      const place = FIRST_SERIES + SERIES * index
      const [route, method, status] = values.subarray(place, place + 3)
      const labels = {
        http_request_method: METHODS[method],
        http_route: ROUTE_LABELS[route],
        http_response_status_code: String(status)
      }
      duration.push(...histogram('http_server_request_duration_seconds', values, place + 3, labels))
      count += duration.at(-1).value
    }
    return { labels: { worker: String(pid) }, value: count }
  })
  return [
    metric('http_server_request_duration_seconds', 'Time to answer a request', 'histogram', duration),
    metric('lab_worker_requests_total', 'Requests answered, by worker process', 'counter', perWorker),
    counter('lab_workers_ended_total', 'Workers that have ended',
      workers.filter((worker) => !worker.alive).length),
    gauge('http_server_active_requests', 'Requests in hand',
      sum(workers.filter((worker) => worker.alive), PLACE.active))
  ]
}

function pool (alive, workers) {
  const wait = 'db_client_connection_wait_time_seconds'
  return [
    metric('db_client_connection_count', 'Pooled connections', 'gauge', [
      { labels: { state: 'used' }, value: sum(alive, PLACE.used) },
      { labels: { state: 'idle' }, value: sum(alive, PLACE.idle) }
    ]),
    gauge('db_client_connection_max', 'Most connections that the pools may open', sum(alive, PLACE.max)),
    gauge('db_client_connection_pending_requests', 'Requests that wait for a connection',
      sum(alive, PLACE.pending)),
    metric(wait, 'Time to get a pooled connection', 'histogram',
      workers.flatMap(({ values }) => histogram(wait, values, PLACE.wait, {})))
  ]
}

/** The sum of the fine buckets over all workers. */
function total (workers, place) {
  const sums = new Float64Array(FINE)
  for (const { values } of workers) {
    for (let index = 0; index < FINE; index += 1) sums[index] += values[place + index]
  }
  return sums
}

function recent (name, span, of, counts) {
  return metric(name, `Time from ${span}, quantiles of the last 10 s`, 'gauge',
    of.quantiles(counts).map(([quantile, value]) => ({ labels: { quantile }, value })))
}

function histogram (name, values, place, labels) {
  let count = 0
  const buckets = [...BOUNDS_S, '+Inf'].map((bound, index) => {
    count += values[place + index]
    return { metricName: `${name}_bucket`, labels: { le: bound, ...labels }, value: count }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: values[place + HISTOGRAM - 1] },
    { metricName: `${name}_count`, labels, value: count }
  ]
}

const metric = (name, help, type, values) => ({ name, help, type, values, aggregator: 'sum' })
const gauge = (name, help, value, labels = {}) => metric(name, help, 'gauge', [{ labels, value }])
const counter = (name, help, value) => metric(name, help, 'counter', [{ labels: {}, value }])
const sum = (workers, place) => workers.reduce((total, { values }) => total + values[place], 0)
