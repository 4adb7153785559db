import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CPU_N, FANOUT_MS, FANOUT_N, numbers, parseJson } from '../lib/contract/validation.js'

const parsed = (text) => parseJson(Buffer.from(text))
const fields = (work) => {
  try {
    work()
  } catch (error) {
    return [error.status, error.fields.map(({ field }) => field)]
  }
  return [200, []]
}

test('whole numbers are digits and nothing else', () => {
  for (const text of ['', '1.0', '+1', ' 1', '1_0', '0x1', '1e3', '٣', '1'.repeat(19)]) {
    assert.deepEqual(fields(() => numbers({ n: text }, CPU_N)), [422, ['n']], text)
  }
  assert.deepEqual(numbers({ n: '000000000000000007' }, CPU_N), [7])
})

test('the last of several values counts, the default where there is none', () => {
  assert.deepEqual(numbers({ n: ['x', '9'] }, FANOUT_N, FANOUT_MS), [9, 50])
})

test('every wrong parameter is named', () => {
  assert.deepEqual(fields(() => numbers({ n: '0', ms: '-1' }, FANOUT_N, FANOUT_MS)), [422, ['n', 'ms']])
})

test('a number that is no integer literal fits nowhere', () => {
  assert.deepEqual(parsed('{"a":1.0,"b":[-1e0,2],"c":"1.0 \\" 2e3","d":3}'),
    { a: null, b: [null, 2], c: '1.0 " 2e3', d: 3 })
})

test('what is not JSON is 400', () => {
  const texts = ['', '{', 'NaN', '{"a":01}', '{} x', '\ufeff{}', '['.repeat(10_001) + ']'.repeat(10_001)]
  for (const text of texts) assert.equal(fields(() => parsed(text))[0], 400, text.slice(0, 9))
  assert.equal(fields(() => parseJson(Buffer.from([0x22, 0xff, 0x22])))[0], 400)
})

test('brackets in text are not depth', () => {
  const text = '['.repeat(10_001)
  assert.deepEqual(parsed(JSON.stringify({ text, more: text })), { text, more: text })
})

test('the last of equal names counts, and __proto__ is a name like any other', () => {
  assert.equal(parsed('{"a":1,"a":2}').a, 2)
  assert.ok(Object.hasOwn(parsed('{"__proto__":1}'), '__proto__'))
})
