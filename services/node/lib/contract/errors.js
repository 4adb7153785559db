/** How many wrong things an answer names at most; as in the contract. */
export const MOST_FIELDS = 100

/** An answer that is not a success, in the contract's shape. */
export class ContractError extends Error {
  /**
   * @param {number} status HTTP status
   * @param {string} code one of the contract's codes
   * @param {string} message one sentence for people
   * @param {{field: string, message: string}[]} fields what is to blame; may be empty
   * @param {Record<string, string>} headers extra response headers
   */
  constructor (status, code, message, fields = [], headers = {}) {
    super(message)
    this.status = status
    this.code = code
    this.fields = fields
    this.headers = headers
  }

  body () {
    return { error: { code: this.code, message: this.message, fields: this.fields } }
  }
}

export const malformed = (message) =>
  new ContractError(400, 'malformed', message, [{ field: 'body', message }])
export const unauthorized = () =>
  new ContractError(401, 'unauthorized', 'log in first: POST /session')
export const notFound = (message = 'no such route') => new ContractError(404, 'not_found', message)
export const methodNotAllowed = (methods) =>
  new ContractError(405, 'method_not_allowed', `use ${methods.join(' or ')}`, [], {
    allow: methods.join(', ')
  })
export const tooLarge = (limit) =>
  new ContractError(413, 'too_large', `the body is over ${limit} bytes`, [
    { field: 'body', message: `at most ${limit} bytes` }
  ])
export const unsupportedMediaType = () =>
  new ContractError(415, 'unsupported_media_type', 'send application/json', [
    { field: 'body', message: 'content type must be application/json' }
  ])
export const invalid = (fields) =>
  new ContractError(422, 'invalid', 'the request has invalid fields', fields.slice(0, MOST_FIELDS))
export const unavailable = (reason) =>
  new ContractError(503, 'unavailable', `the database is out of reach: ${reason}`)
export const internal = () => new ContractError(500, 'internal', 'internal error')
