import { Readable } from 'node:stream'
import cookie from '@fastify/cookie'
import websocket from '@fastify/websocket'
import fastify from 'fastify'
import { computed } from './contract/cpu.js'
import { ContractError, internal, malformed, methodNotAllowed, notFound, unauthorized, unsupportedMediaType } from './contract/errors.js'
import { events } from './contract/events.js'
import { createServer } from './listener.js'
import { methodsOf, routeOf } from './contract/routes.js'
import { issued, MAX_AGE_S, usernameOf } from './contract/sessions.js'
import { restrictUpgrades } from './contract/upgrades.js'
import * as valid from './contract/validation.js'

const KEEP_ALIVE_MS = 75_000
const REQUEST_MS = 10_000 // from its first byte to its last
const MESSAGE_BYTES = 16 * 1024 * 1024 // as uvicorn has it
const GOODBYE_MS = 1_000 // how long a WebSocket's client may take to say that it has closed, too
const WS_13 = 'Sec-WebSocket-Version: 13\r\n' // what a handshake is to ask for
const SESSION = { path: '/', httpOnly: true, sameSite: 'lax', signed: true, maxAge: MAX_AGE_S }

const same = (value) => value
const text = { type: 'string' }
const integer = { type: 'integer' }
const object = (properties) => ({ type: 'object', properties })
const answers = (status, properties) => ({ response: { [status]: object(properties) } })
const ITEM = {
  id: integer, name: text, description: text, price_cents: integer, stock: integer
}

/** The service's Fastify application; `recorder` is undefined where metrics are off. */
export function createApp ({ settings, database, about, recorder }) {
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_MS,
    // Node swaps the two limits where that for the headers, 60 s by default, is the longer one.
    http: {
      connectionsCheckingInterval: 1000,
      headersTimeout: REQUEST_MS,
      ServerResponse: recorder?.responses()
    },
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 65_536 },
    serverFactory: createServer,
    clientErrorHandler: refuseSyntax,
    ajv: { customOptions: valid.AJV_OPTIONS }
  })
  // Bodies are read by `readJson`, for only two routes have one and the contract orders the checks.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (request, payload, done) => done(null))
  app.setErrorHandler(answerError)
  app.setNotFoundHandler((request) => { throw unroutable(request) })
  app.server.on('connect', (request, socket) => refuse(socket, 'CONNECT is for proxies'))
  greetings(app)
  fromDatabase(app, database)
  orders(app, database)
  state(app, database, about)
  // Each in a scope, for their plugins' hooks are of no use to other routes.
  app.register((scope) => sessions(scope, settings.sessionSecret))
  app.register(sockets)
  app.addHook('onReady', async () => restrictUpgrades(app.server))
  return app
}

async function sockets (scope) {
  await scope.register(websocket, { options: { maxPayload: MESSAGE_BYTES, closeTimeout: GOODBYE_MS } })
  scope.websocketServer.on('wsClientError', (error, socket) => refuse(socket, error.message, WS_13))
  scope.route({ method: 'GET', url: '/ws', handler: noUpgrade, wsHandler: echo })
}

function echo (socket) {
  socket.on('message', (message, binary) => socket.send(message, { binary }))
  socket.on('error', () => socket.terminate())
}

async function noUpgrade () {
  throw notFound()
}

function greetings (app) {
  app.get('/plaintext', (request, reply) => reply.type('text/plain; charset=utf-8').send('Hello, World!'))
  app.get('/json', { schema: answers(200, { message: text }) }, async () => ({ message: 'Hello, World!' }))
  app.get('/cpu', { schema: answers(200, { n: integer, result: integer }) }, async ({ query }) => {
    const [n] = valid.numbers(query, valid.CPU_N)
    return { n, result: computed(n) }
  })
  app.get('/stream', ({ query }, reply) => {
    const [n, ms] = valid.numbers(query, valid.STREAM_N, valid.STREAM_MS)
    return reply.type('text/event-stream').send(Readable.from(events(n, ms)))
  })
}

function fromDatabase (app, database) {
  const page = { items: { type: 'array', items: object(ITEM) }, limit: integer, offset: integer }
  app.get('/items', { schema: answers(200, page) }, async ({ query }) => {
    const [limit, offset] = valid.numbers(query, valid.LIMIT, valid.OFFSET)
    return { items: await database.items(limit, offset), limit, offset }
  })
  app.get('/items/:id', { schema: answers(200, ITEM) }, async ({ params }) => {
    if (params.id === '' || params.id.includes('/')) throw notFound()
    const [id] = valid.numbers(params, valid.ITEM_ID)
    return database.item(id)
  })
  app.get('/wait', { schema: answers(200, { ms: integer }) }, async ({ query }) => {
    const [ms] = valid.numbers(query, valid.WAIT_MS)
    await database.wait(ms)
    return { ms }
  })
  app.get('/fanout', { schema: answers(200, { n: integer, ms: integer }) }, async ({ query }) => {
    const [n, ms] = valid.numbers(query, valid.FANOUT_N, valid.FANOUT_MS)
    await Promise.all(Array.from({ length: n }, () => database.wait(ms)))
    return { n, ms }
  })
}

/** Puts the parsed body where Fastify validates it against the route's schema. */
async function parseBody (request) {
  request.body = await valid.readJson(request.raw)
}

function orders (app, database) {
  const schema = { body: valid.NEW_ORDER, ...answers(201, { id: integer, total_cents: integer }) }
  app.post('/orders', { schema, preValidation: parseBody }, async (request, reply) => {
    reply.code(201)
    return database.order(request.body)
  })
}

async function sessions (app, secret) {
  // The signed text as it stands: its characters need no encoding, and each has one spelling.
  app.register(cookie, { secret, parseOptions: { encode: same, decode: same } })
  const user = { username: text }
  const login = { body: valid.LOGIN, ...answers(201, user) }
  app.post('/session', { schema: login, preValidation: parseBody }, async ({ body }, reply) => {
    reply.setCookie('session', issued(body.username), SESSION)
    reply.code(201)
    return { username: body.username }
  })
  app.delete('/session', (request, reply) => reply.clearCookie('session', SESSION).code(204).send())
  app.get('/me', { schema: answers(200, user) }, async (request) => {
    const { valid: genuine, value } = request.unsignCookie(request.cookies.session ?? '')
    const username = genuine ? usernameOf(value) : undefined
    if (username === undefined) throw unauthorized()
    return { username }
  })
}

function state (app, database, about) {
  app.get('/about', async () => about)
  app.get('/healthz', { schema: answers(200, { status: text }) }, async () => ({ status: 'ok' }))
  app.get('/readyz', { schema: answers(200, { status: text }) }, async () => {
    await database.ready()
    return { status: 'ready' }
  })
}

function unroutable ({ method, raw }) {
  const methods = methodsOf(routeOf(raw.url))
  // The router reads some paths, /items%2F1 for one, in another way than the contract's names go.
  return methods && !methods.includes(method) ? methodNotAllowed(methods) : notFound()
}

function answerError (error, request, reply) {
  // What is wrong with a request that has no route is just that.
  const known = request.is404 ? unroutable(request) : asContractError(error)
  reply.code(known.status).headers(known.headers).type('application/json; charset=utf-8')
  reply.serializer(JSON.stringify).send(known.body())
}

function asContractError (error) {
  if (error instanceof ContractError) return error
  if (error.validation) return valid.fromAjv(error.validation)
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return unsupportedMediaType()
  console.error(error)
  return internal()
}

/** What is not HTTP never reaches a route; it still gets the contract's shape. */
function refuseSyntax (error, socket) {
  if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy()
  refuse(socket, `not HTTP/1.1: ${error.code}`)
}

function refuse (socket, reason, header = '') {
  const body = JSON.stringify(malformed(reason).body())
  socket.once('finish', () => socket.destroy())
  socket.end(
    'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/json\r\n' +
    `${header}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}
