import assert from 'node:assert/strict'
import { fstatSync, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import Fastify from 'fastify'
import { Exporter } from '../lib/exporter.js'
import { Recorder } from '../lib/recorder.js'

const folder = mkdtempSync(join(tmpdir(), 'lab-test-'))
after(() => rmSync(folder, { recursive: true }))

const ABOUT = { framework: 'f', server: 's', model: 'm', versions: { node: '1' }, slots: 4 }
let files = 0

async function worker () {
  const file = openSync(join(folder, String(files++)), 'w+')
  const recorder = new Recorder(file)
  const app = Fastify()
  recorder.watchRequests(app)
  app.get('/json', async () => ({}))
  app.get('/wait', () => new Promise(() => {}))
  return { file, app, recorder }
}

/** Enough turns of the event loop for an injected request to arrive and to be written down. */
async function turns () {
  for (let count = 0; count < 20; count += 1) await turn()
}

async function scrape (exporter) {
  const server = await exporter.listen(0, '127.0.0.1')
  const response = await fetch(`http://127.0.0.1:${server.address().port}/metrics`)
  const text = await response.text()
  server.closeAllConnections()
  server.close()
  return text.split('\n')
}

test('requests of all workers add up, a dead one\'s gauges go', async () => {
  const [one, two] = [await worker(), await worker()]
  await one.app.inject('/json')
  await two.app.inject('/json')
  await two.app.inject('/nothing/of/ours')
  two.app.inject('/wait')
  await turns()
  const exporter = new Exporter(ABOUT, 1)
  exporter.add(1, one.file)
  exporter.add(2, two.file)
  const before = await scrape(exporter)
  const labels = (route, status) => (
    `{http_request_method="GET",http_route="${route}",http_response_status_code="${status}"}`)
  assert.ok(before.includes(`http_server_request_duration_seconds_count${labels('/json', 200)} 2`))
  assert.ok(before.includes(`http_server_request_duration_seconds_count${labels('unmatched', 404)} 1`))
  assert.ok(before.includes('http_server_active_requests 1'))
  assert.ok(before.includes('lab_worker_requests_total{worker="2"} 2'))
  assert.ok(before.includes('lab_workers_ended_total 0'))
  exporter.remove(2)
  const later = await scrape(exporter)
  assert.ok(later.includes('http_server_active_requests 0'))
  assert.ok(later.includes('lab_worker_requests_total{worker="2"} 2'))
  assert.ok(later.includes('lab_workers_ended_total 1'))
})

test('a wait falls into the bucket of its length and all above', async () => {
  const { file, recorder } = await worker()
  recorder.waited(0.0025)
  await turns()
  const exporter = new Exporter(ABOUT, 1)
  exporter.add(3, file)
  const lines = await scrape(exporter)
  const bucket = (bound) => lines.find((line) => (
    line.startsWith(`db_client_connection_wait_time_seconds_bucket{le="${bound}"}`))).split(' ')[1]
  assert.deepEqual(['0.001', '0.0025', '10', '+Inf'].map(bucket), ['0', '1', '1', '1'])
})

test('a series that is not written to its end yet is left out', async () => {
  const { file, app } = await worker()
  await app.inject('/json')
  await app.inject('/nothing/of/ours')
  await turns()
  const exporter = new Exporter(ABOUT, 1)
  exporter.add(5, file)
  const whole = fstatSync(file).size
  ftruncateSync(file, whole - 8)
  const counts = (await scrape(exporter)).filter((line) => line.includes('seconds_count{http'))
  assert.deepEqual(counts.map((line) => line.includes('route="/json"')), [true], counts.join('\n'))
})

test('a worker that is stuck is seen to be stuck', async () => {
  const { file } = await worker()
  const exporter = new Exporter(ABOUT, 1)
  exporter.add(4, file)
  const begin = Date.now()
  while (Date.now() - begin < 300); // the recorder's loop is this one
  const lag = (await scrape(exporter)).find((line) => line.startsWith('lab_scheduling_lag_seconds'))
  assert.ok(Number(lag.split(' ')[1]) >= 0.15, lag)
})
