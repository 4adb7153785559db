import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createApp } from '../lib/app.js'

const app = createApp({ settings: { sessionSecret: 'a secret of the test' } })

test('a method is only refused in favour of another one', async () => {
  const wrong = await app.inject({ method: 'POST', url: '/items/1' })
  assert.equal(wrong.statusCode, 405)
  assert.equal(wrong.headers.allow, 'GET')
  const encoded = await app.inject({ method: 'GET', url: '/items%2F1' })
  assert.equal(encoded.statusCode, 404)
  assert.equal(encoded.json().error.code, 'not_found')
})
