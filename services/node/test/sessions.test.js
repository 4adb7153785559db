import assert from 'node:assert/strict'
import { test } from 'node:test'
import { issued, MAX_AGE_S, usernameOf } from '../lib/contract/sessions.js'

test('a session ends after its age', () => {
  const then = Date.UTC(2026, 0, 1)
  const value = issued('ann ä', then)
  assert.equal(usernameOf(value, then + 1000 * MAX_AGE_S), 'ann ä')
  assert.equal(usernameOf(value, then + 1000 * (MAX_AGE_S + 1)), undefined)
})
