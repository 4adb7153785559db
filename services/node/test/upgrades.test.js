import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, test } from 'node:test'
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
