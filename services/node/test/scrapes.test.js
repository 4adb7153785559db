import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { Scrapes } from '../lib/metrics/scrapes.js'

const SCRAPE = 'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
const servers = []
after(() => servers.forEach((server) => server.close()))

/** A server whose collections last until `letGo` is called; `collections` tells how many began. */
async function held () {
  const state = { collections: 0, arrived: 0, gone: 0 }
  const released = new Promise((resolve) => { state.letGo = resolve })
  const scrapes = new Scrapes(async () => {
    state.collections += 1
    await released
    return { type: 'text/plain', text: 'collected' }
  })
  const server = createServer((request, response) => {
    state.arrived += 1
    response.once('close', () => { state.gone += 1 })
    scrapes.answer(response)
  })
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  state.ask = () => connect(server.address().port, '127.0.0.1', function () { this.write(SCRAPE) })
  return state
}

async function until (holds) {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1))
}

async function answerOf (client) {
  return Buffer.concat(await client.toArray()).toString()
}

test('scrapes that wait share the next collection', async () => {
  const state = await held()
  const first = answerOf(state.ask())
  await until(() => state.collections === 1)
  const others = Array.from({ length: 200 }, () => answerOf(state.ask()))
  await until(() => state.arrived === 201)
  state.letGo()
  for (const answer of await Promise.all([first, ...others])) assert.match(answer, /^HTTP\/1.1 200.*collected/s)
  assert.equal(state.collections, 2)
})

test('a scrape that nobody waits for is dropped', async () => {
  const state = await held()
  const first = answerOf(state.ask())
  await until(() => state.collections === 1)
  const impatient = Array.from({ length: 50 }, state.ask)
  await until(() => state.arrived === 51)
  for (const client of impatient) client.destroy()
  await until(() => state.gone === 50)
  state.letGo()
  await first
  assert.equal(state.collections, 1)
  assert.match(await answerOf(state.ask()), /collected/)
  assert.equal(state.collections, 2)
})
