import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings, SettingsError } from '../lib/settings.js'

const GOOD = { SERVICE_NAME: 'x', DATABASE_URL: 'postgresql://lab@127.0.0.1:5432/lab' }

test('the environment is read and the rest has defaults', () => {
  const settings = readSettings({ ...GOOD, WORKERS: '3', LAB_METRICS: 'off' })
  assert.equal(settings.workers, 3)
  assert.equal(settings.poolSize, 1)
  assert.equal(settings.metrics, false)
})

test('what cannot be used is one line that names the variable', () => {
  const wrong = {
    SERVICE_NAME: '', DATABASE_URL: 'mysql://x', WORKERS: '0', POOL_SIZE: '1.5', PORT: '65536',
    LAB_METRICS: 'maybe', DATABASE_PASSWORD_FILE: '/nowhere/at/all'
  }
  for (const [name, value] of Object.entries(wrong)) {
    assert.throws(() => readSettings({ ...GOOD, [name]: value }), (error) => (
      error instanceof SettingsError && error.message.startsWith(name) && !error.message.includes('\n')))
  }
})
