import pg from 'pg'
import { invalid, notFound, unavailable } from './contract/errors.js'
import * as queries from './queries.js'

/** How long a request waits for a pooled connection, and a query for its answer. */
const WAIT_MS = 30_000
const CONNECT_MS = 2_000
const READY_MS = 2_000

/** SQLSTATE classes that mean "no database for you now": connection, authorisation, missing database,
 *  resources, operator, system. */
const AWAY = new Set(['08', '28', '3D', '53', '57', '58'])

/** A connection that gives up on a silent server sooner than a request gives up on a busy pool. */
class Client extends pg.Client {
  constructor (options) {
    super({ ...options, connectionTimeoutMillis: CONNECT_MS })
  }
}

/** pg lets what the address says, or leaves out, win over every other option. */
function withPassword (address, password) {
  if (!password) return address
  const url = new URL(address)
  url.password = encodeURIComponent(password)
  return url.href
}

/** The service's Postgres: a pool of `poolSize` connections, opened as they are needed. */
export class Database {
  #pool
  #recorder

  constructor (settings, recorder) {
    this.#recorder = recorder
    this.#pool = new pg.Pool({
      Client,
      connectionString: withPassword(settings.databaseUrl, settings.databasePassword),
      application_name: settings.service,
      max: settings.poolSize,
      idleTimeoutMillis: 0,
      connectionTimeoutMillis: WAIT_MS,
      query_timeout: WAIT_MS,
      keepAlive: true
    })
    // An idle connection that breaks is dropped by the pool; the next request opens another.
    this.#pool.on('error', () => {})
    recorder?.watchPool(this.#pool)
  }

  /** One item; throws 404. */
  async item (id) {
    const [item] = await this.#rows(queries.ITEM, [id])
    if (!item) throw notFound(`no item ${id}`)
    return item
  }

  /** A page of items in order of id. */
  items (limit, offset) {
    return this.#rows(queries.ITEMS, [limit, offset])
  }

  /** One query that takes `ms` milliseconds. */
  wait (ms) {
    return this.#rows(queries.WAIT, [ms])
  }

  /** Throws 503 where Postgres does not answer within two seconds. */
  async ready () {
    let timer
    const late = new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(unavailable('no answer in time')), READY_MS)
    })
    await Promise.race([this.#rows(queries.PING, []), late]).finally(() => clearTimeout(timer))
  }

  /** Price and insert an order in one transaction; throws 422 naming unknown customer and items. */
  order (order) {
    return this.#use(async (client) => {
      await client.query('BEGIN')
      try {
        const placed = await place(client, order)
        await client.query('COMMIT')
        return placed
      } catch (error) {
        await client.query('ROLLBACK')
        throw error
      }
    })
  }

  close () {
    return this.#pool.end()
  }

  #rows (statement, values) {
    return this.#use(async (client) => (await client.query({ ...statement, values })).rows)
  }

  async #use (work) {
    const asked = performance.now()
    let client
    try {
      client = await this.#pool.connect()
    } catch (error) {
      throw translated(error)
    }
    this.#recorder?.waited((performance.now() - asked) / 1000)
    try {
      const result = await work(client)
      client.release()
      return result
    } catch (error) {
      const known = translated(error)
      client.release(known.status === 503)
      throw known
    }
  }
}

async function place (client, { customer_id: customerId, lines, note = '' }) {
  const ids = lines.map((line) => line.item_id)
  const customer = await client.query({ ...queries.CUSTOMER, values: [customerId] })
  const found = await client.query({ ...queries.PRICES, values: [ids] })
  const prices = new Map(found.rows.map((row) => [row.id, row.price_cents]))
  refuseUnknown(customer.rows.length === 1, ids, prices)
  const total = lines.reduce((sum, line) => sum + line.quantity * prices.get(line.item_id), 0)
  const inserted = await client.query({ ...queries.NEW_ORDER, values: [customerId, note, total] })
  const id = inserted.rows[0].id
  await client.query({
    ...queries.NEW_LINES,
    values: [id, ids, lines.map((line) => line.quantity), ids.map((item) => prices.get(item))]
  })
  return { id: Number(id), total_cents: total }
}

function refuseUnknown (customerKnown, ids, prices) {
  const fields = customerKnown ? [] : [{ field: 'customer_id', message: 'no such customer' }]
  ids.forEach((id, index) => {
    if (!prices.has(id)) fields.push({ field: `lines.${index}.item_id`, message: 'no such item' })
  })
  if (fields.length > 0) throw invalid(fields)
}

/** A database error as the contract's: 503 where Postgres is away, itself where it is a defect. */
function translated (error) {
  if (error.status) return error
  if (error instanceof pg.DatabaseError && !AWAY.has(error.code?.slice(0, 2))) return error
  return unavailable(error.code ?? error.message)
}
