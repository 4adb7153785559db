import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createApp } from '../lib/app.js'
import { events } from '../lib/contract/events.js'

const app = createApp({ settings: { sessionSecret: 'a secret of the test' } })

test('events are counted from 0', async () => {
  const answer = await app.inject({ method: 'GET', url: '/stream?n=2&ms=1' })
  assert.equal(answer.headers['content-type'], 'text/event-stream')
  assert.equal(answer.body, 'data: {"event": 0}\n\ndata: {"event": 1}\n\n')
})

test('wrong bounds are named before anything is sent', async () => {
  const answer = await app.inject({ method: 'GET', url: '/stream?n=0&ms=1001' })
  assert.equal(answer.statusCode, 422)
  assert.deepEqual(answer.json().error.fields.map(({ field }) => field), ['n', 'ms'])
})

test('the first event comes at once', async () => {
  const long = events(2, 1_000_000)
  assert.equal((await long.next()).value, 'data: {"event": 0}\n\n')
})
