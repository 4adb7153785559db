import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import v8 from 'node:v8'
import vm from 'node:vm'
import { createApp } from '../lib/app.js'

const app = createApp({ settings: { sessionSecret: 'a secret of the test' } })
await app.listen({ port: 0, host: '127.0.0.1' })
after(() => app.close())

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
const KEY = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'

/** The first bytes that come back. */
async function answer (line, headers) {
  const client = connect(app.server.address().port, '127.0.0.1')
  client.write(`${line} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`)
  const [received] = await once(client, 'data')
  client.destroy()
  return received.toString()
}

test('only /ws takes an upgrade, and only to a WebSocket', async () => {
  assert.match(await answer('GET /ws?x=1', UPGRADE + KEY), /^HTTP\/1.1 101 /)
  for (const line of ['GET /json', 'GET /nope', 'POST /ws', 'GET /wsx']) {
    assert.equal(
      (await answer(line, UPGRADE + KEY)).slice(0, 12), (await answer(line, '')).slice(0, 12), line)
  }
  assert.match(await answer('GET /ws', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'), /^HTTP\/1.1 404 /)
})

test('a handshake that is none is refused in the contract\'s shape', async () => {
  for (const line of ['GET /ws', 'CONNECT x:1']) {
    assert.match(await answer(line, UPGRADE), /^HTTP\/1.1 400 [^{]*{"error":{"code":"malformed"/, line)
  }
})

/** Statuses of the answers to requests written at once. */
async function statuses (...requests) {
  const client = connect(app.server.address().port, '127.0.0.1')
  client.write(requests.join('') + `GET /json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  const received = Buffer.concat(await client.toArray()).toString()
  return received.match(/(?<=HTTP\/1.1 )\d+/g).map(Number)
}

test('requests before and behind an upgrade that is declined are answered in turn', async () => {
  const get = (target, headers = '') => `GET ${target} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`
  const body = '{"username": "ann"}'
  const login = (headers) => 'POST /session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
    `Content-Length: ${body.length}\r\n${headers}\r\n${body}`
  assert.deepEqual(await statuses(get('/json', UPGRADE)), [200, 200])
  assert.deepEqual(
    await statuses(get('/nope'), get('/json'), get('/me', UPGRADE), login(UPGRADE), login(''), get('/nope')),
    [404, 200, 401, 201, 201, 404, 200])
})

test('a handshake waits for the answer before it', async () => {
  const client = connect(app.server.address().port, '127.0.0.1')
  client.write(`GET /json HTTP/1.1\r\nHost: x\r\n\r\nGET /ws HTTP/1.1\r\nHost: x\r\n${UPGRADE}${KEY}\r\n`)
  let received = ''
  for await (const data of client) {
    received += data
    if (received.includes('HTTP/1.1 101 ')) break
  }
  assert.match(received, /^HTTP\/1.1 200 /)
})

test('upgrades that are declined leave nothing in memory', async () => {
  v8.setFlagsFromString('--expose-gc')
  const collect = vm.runInNewContext('gc')
  const after = async (times) => {
    for (let count = 0; count < times; count += 1) await answer('GET /json', UPGRADE + KEY)
    await collect({ execution: 'async' })
    return process.memoryUsage().heapUsed / 2 ** 20
  }
  const settled = await after(300)
  const grown = await after(700) - settled
  assert.ok(grown < 2, `${grown} MiB for 700 requests`) // one that stays takes some 10 KiB
})
