import { isUtf8 } from 'node:buffer'
import { invalid, malformed, tooLarge, unsupportedMediaType } from './errors.js'

export const BODY_LIMIT = 262_144
const MAX_ID = 2_147_483_647
const MAX_DEPTH = 10_000

/** Whole-number parameters: name, least, greatest, default (none where it is required). */
export const ITEM_ID = { name: 'id', min: 1, max: MAX_ID }
export const LIMIT = { name: 'limit', min: 1, max: 100, default: 20 }
export const OFFSET = { name: 'offset', min: 0, max: 1_000_000, default: 0 }
export const WAIT_MS = { name: 'ms', min: 0, max: 10_000, default: 100 }
export const FANOUT_N = { name: 'n', min: 1, max: 20, default: 5 }
export const FANOUT_MS = { name: 'ms', min: 0, max: 1_000, default: 50 }
export const STREAM_N = { name: 'n', min: 1, max: 1_000, default: 10 }
export const STREAM_MS = { name: 'ms', min: 0, max: 1_000, default: 100 }
export const CPU_N = { name: 'n', min: 0, max: 50_000_000, default: 100_000 }

const id = { type: 'integer', minimum: 1, maximum: MAX_ID }

/** Bodies, as in services/contract.yaml; `storable` is text without NUL and lone surrogates. */
export const NEW_ORDER = {
  type: 'object',
  required: ['customer_id', 'lines'],
  additionalProperties: false,
  properties: {
    customer_id: id,
    lines: {
      type: 'array',
      minItems: 1,
      maxItems: 500,
      items: {
        type: 'object',
        required: ['item_id', 'quantity'],
        additionalProperties: false,
        properties: { item_id: id, quantity: { type: 'integer', minimum: 1, maximum: 1000 } }
      }
    },
    note: { type: 'string', maxLength: 500, format: 'storable' }
  }
}

export const LOGIN = {
  type: 'object',
  required: ['username'],
  additionalProperties: false,
  properties: { username: { type: 'string', minLength: 1, maxLength: 64, format: 'storable' } }
}

/** Ajv's options: name every bad field, change nothing. */
export const AJV_OPTIONS = {
  allErrors: true,
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: false,
  formats: { storable: (text) => !text.includes('\0') && text.isWellFormed() }
}

/** The values of `parameters` in a parsed query or path; one 422 names each that is wrong. */
export function numbers (given, ...parameters) {
  const values = parameters.map((parameter) => wholeNumber(given[parameter.name], parameter))
  const wrong = parameters.filter((_, index) => values[index] === undefined)
  if (wrong.length > 0) {
    throw invalid(wrong.map(({ name, min, max }) => (
      { field: name, message: `a whole number from ${min} to ${max}` })))
  }
  return values
}

function wholeNumber (given, { min, max, default: fallback }) {
  const text = Array.isArray(given) ? given.at(-1) : given
  if (text === undefined) return fallback
  if (!/^-?[0-9]{1,18}$/.test(text)) return undefined
  const value = Number(text)
  return value >= min && value <= max ? value : undefined
}

/** Read a request's JSON body; throws 415, 413 or 400, in that order. */
export async function readJson (raw) {
  const type = (raw.headers['content-type'] ?? '').split(';', 1)[0].trim().toLowerCase()
  if (type !== 'application/json') throw unsupportedMediaType()
  if (Number(raw.headers['content-length'] ?? 0) > BODY_LIMIT) throw tooLarge(BODY_LIMIT)
  return parseJson(await read(raw))
}

function read (raw) {
  return new Promise((resolve, reject) => {
    const chunks = []
    let size = 0
    raw.on('data', (chunk) => {
      size += chunk.length
      if (size <= BODY_LIMIT) chunks.push(chunk)
    })
    raw.on('end', () => (
      size > BODY_LIMIT ? reject(tooLarge(BODY_LIMIT)) : resolve(Buffer.concat(chunks))))
    raw.on('error', () => reject(malformed('the body was cut short')))
  })
}

/** The value of a JSON text, where a number that is no integer literal becomes null: it fits nowhere. */
export function parseJson (bytes) {
  if (!isUtf8(bytes)) throw malformed('the body is not UTF-8')
  const text = bytes.toString('utf8')
  try {
    const value = JSON.parse(text)
    if (text.length > 2 * MAX_DEPTH && isTooDeep(text)) throw new Error('nested too deep')
    return /[0-9][.eE]/.test(text) ? JSON.parse(withoutFractions(text)) : value
  } catch (error) {
    throw malformed(`the body is not JSON: ${error.message.split('\n', 1)[0]}`)
  }
}

function isTooDeep (text) {
  let depth = 0
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{\]}]/g)) {
    if (token === '[' || token === '{') depth += 1
    if (token === ']' || token === '}') depth -= 1
    if (depth > MAX_DEPTH) return true
  }
  return false
}

function withoutFractions (text) {
  const token = /"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/g
  return text.replace(token, (found) => (
    found[0] === '"' || /^-?[0-9]+$/.test(found) ? found : 'null'))
}

/** Ajv's errors as one 422 that names each bad field once. */
export function fromAjv (errors) {
  if (errors.some(({ params }) => params.additionalProperty?.isWellFormed() === false)) {
    // Such a name could not be given back.
    return invalid([{ field: 'body', message: 'a name in it has a lone surrogate' }])
  }
  // A list of the wrong length is refused as a whole: its lines are not judged one by one.
  const whole = errors.some(({ instancePath }) => instancePath === '/lines')
  const named = new Map()
  for (const error of errors) {
    const field = fieldOf(error)
    const inLine = whole && error.instancePath.startsWith('/lines/')
    if (!inLine && !named.has(field)) named.set(field, { field, message: error.message })
  }
  return invalid([...named.values()])
}

function fieldOf ({ instancePath, keyword, params }) {
  const path = instancePath.split('/').slice(1)
  if (keyword === 'required') path.push(params.missingProperty)
  if (keyword === 'additionalProperties') path.push(params.additionalProperty)
  return path.length > 0 ? path.join('.') : 'body'
}

