/** Every statement, as in services/common/lab/postgres/queries.py; the name makes pg prepare it once a connection. */
export const ITEM = {
  name: 'item',
  text: 'SELECT id, name, description, price_cents, stock FROM items WHERE id = $1'
}
export const ITEMS = {
  name: 'items',
  text: 'SELECT id, name, description, price_cents, stock FROM items ORDER BY id LIMIT $1 OFFSET $2'
}
export const CUSTOMER = { name: 'customer', text: 'SELECT id FROM customers WHERE id = $1' }
export const PRICES = {
  name: 'prices',
  text: 'SELECT id, price_cents FROM items WHERE id = ANY($1::int[])'
}
export const NEW_ORDER = {
  name: 'new_order',
  text: `INSERT INTO orders (customer_id, note, total_cents) VALUES ($1, $2, $3::bigint) RETURNING id`
}
export const NEW_LINES = {
  name: 'new_lines',
  text: `INSERT INTO order_lines (order_id, line, item_id, quantity, price_cents)
    SELECT $1::bigint, line, item_id, quantity, price_cents
    FROM unnest($2::int[], $3::int[], $4::int[])
    WITH ORDINALITY AS given (item_id, quantity, price_cents, line)`
}
export const WAIT = { name: 'wait', text: 'SELECT pg_sleep($1::int / 1000.0)' }
export const PING = { text: 'SELECT 1' }
