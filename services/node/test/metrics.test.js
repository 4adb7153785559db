import assert from 'node:assert/strict'
import { once } from 'node:events'
import { fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Exporter } from '../lib/metrics/exporter.js'
import { Recorder } from '../lib/metrics/recorder.js'

const folder = mkdtempSync(join(tmpdir(), 'lab-test-'))
after(() => rmSync(folder, { recursive: true }))

const ABOUT = { framework: 'f', server: 's', model: 'm', versions: { node: '1' }, slots: 4 }
let files = 0

async function worker () {
  const file = openSync(join(folder, String(files++)), 'w+')
  const recorder = new Recorder(file)
  const server = createServer({ ServerResponse: recorder.responses() }, ({ url }, response) => {
    response.statusCode = url === '/json' ? 200 : 404
    if (url === '/stream') return response.write('a part of an answer')
    if (url !== '/wait') response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close().closeAllConnections())
  const ask = (target) => fetch(`http://127.0.0.1:${server.address().port}${target}`)
  return { file, ask, recorder }
}

async function scrape (exporter) {
  const server = await exporter.listen(0, '127.0.0.1')
  const response = await fetch(`http://127.0.0.1:${server.address().port}/metrics`)
  const text = await response.text()
  server.closeAllConnections()
  server.close()
  return text.split('\n')
}

/** What is published, once `line` is: a worker writes now and then. */
async function scrapeWith (exporter, line) {
  let lines
  do lines = await scrape(exporter)
  while (!lines.includes(line))
  return lines
}

test('requests of all workers add up, a dead one\'s gauges go', async () => {
  const [one, two] = [await worker(), await worker()]
  await one.ask('/json')
  await two.ask('/json')
  await two.ask('/nothing/of/ours')
  two.ask('/wait').catch(() => {})
  const exporter = new Exporter(ABOUT, 1)
  exporter.add(1, one.file)
  exporter.add(2, two.file)
  const before = await scrapeWith(exporter, 'http_server_active_requests 1')
  const labels = (route, status) => (
    `{http_request_method="GET",http_route="${route}",http_response_status_code="${status}"}`)
  assert.ok(before.includes(`http_server_request_duration_seconds_count${labels('/json', 200)} 2`))
  assert.ok(before.includes(`http_server_request_duration_seconds_count${labels('unmatched', 404)} 1`))
  assert.ok(before.includes('lab_worker_requests_total{worker="2"} 2'))
  assert.ok(before.includes('lab_workers_ended_total 0'))
  exporter.remove(2)
  const later = await scrape(exporter)
  assert.ok(later.includes('http_server_active_requests 0'))
  assert.ok(later.includes('lab_worker_requests_total{worker="2"} 2'))
  assert.ok(later.includes('lab_workers_ended_total 1'))
})

test('an answer in pieces is in flight until its client leaves', async () => {
  const { file, ask } = await worker()
  const exporter = new Exporter(ABOUT, 1)
  exporter.add(6, file)
  const { body } = await ask('/stream')
  await scrapeWith(exporter, 'http_server_active_requests 1')
  await body.cancel()
  const lines = await scrapeWith(exporter, 'http_server_active_requests 0')
  assert.ok(lines.includes('lab_worker_requests_total{worker="6"} 1'))
})

test('a wait falls into the bucket of its length and all above', async () => {
  const { file, recorder } = await worker()
  recorder.waited(0.0025)
  const exporter = new Exporter(ABOUT, 1)
  exporter.add(3, file)
  const lines = await scrapeWith(exporter, 'db_client_connection_wait_time_seconds_count 1')
  const bucket = (bound) => lines.find((line) => (
    line.startsWith(`db_client_connection_wait_time_seconds_bucket{le="${bound}"}`))).split(' ')[1]
  assert.deepEqual(['0.001', '0.0025', '10', '+Inf'].map(bucket), ['0', '1', '1', '1'])
})

test('a series that is not written to its end yet is left out', async () => {
  const { file, ask } = await worker()
  await ask('/json')
  await ask('/nothing/of/ours')
  const whole = new Exporter(ABOUT, 1)
  whole.add(5, file)
  await scrapeWith(whole, 'lab_worker_requests_total{worker="5"} 2')
  const written = Buffer.alloc(fstatSync(file).size)
  readSync(file, written, 0, written.length, 0)
  const half = openSync(join(folder, 'half'), 'w+')
  writeSync(half, written, 0, written.length - 8, 0)
  const exporter = new Exporter(ABOUT, 1)
  exporter.add(5, half)
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
