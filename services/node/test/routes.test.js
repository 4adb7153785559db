import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UNMATCHED, methodsOf, repaired, routeOf } from '../lib/contract/routes.js'

test('a path of the contract is its own label, whatever follows it', () => {
  assert.equal(routeOf('/wait?ms=1'), '/wait')
  assert.equal(routeOf('/%6Ason'), '/json')
  assert.equal(routeOf('/items/7?x'), '/items/{id}')
})

test('no other path becomes a label', () => {
  for (const url of ['/', '/items/', '/items/1/2', '/items/a%2Fb', '/JSON', '/json/', '/%zz', '/constructor']) {
    assert.equal(routeOf(url), UNMATCHED, url)
  }
})

test('only the contract\'s routes have methods', () => {
  assert.deepEqual(methodsOf('/session'), ['DELETE', 'POST'])
  assert.equal(methodsOf(UNMATCHED), undefined)
})

test('percent signs that decode to nothing are taken as they stand', () => {
  assert.equal(decodeURIComponent(repaired('/items/%ff%zz')), '/items/%ff%zz')
  assert.equal(repaired('/items/%31'), '/items/%31')
  assert.equal(repaired('/fanout?%6E=2&x=%zz'), '/fanout?%6E=2&x=%zz')
  assert.equal(repaired('/%zz?%6E=2'), '/%25zz?%6E=2')
})
