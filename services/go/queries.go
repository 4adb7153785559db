package main

// Every statement, as in services/common/lab/postgres/queries.py.
const (
	itemQuery  = "SELECT id, name, description, price_cents, stock FROM items WHERE id = $1"
	itemsQuery = "SELECT id, name, description, price_cents, stock FROM items ORDER BY id LIMIT $1 OFFSET $2"

	customerQuery = "SELECT id FROM customers WHERE id = $1"
	pricesQuery   = "SELECT id, price_cents FROM items WHERE id = ANY($1::int[])"
	newOrderQuery = "INSERT INTO orders (customer_id, note, total_cents) VALUES ($1, $2, $3::bigint) RETURNING id"
	newLinesQuery = "INSERT INTO order_lines (order_id, line, item_id, quantity, price_cents)" +
		" SELECT $1::bigint, line, item_id, quantity, price_cents" +
		" FROM unnest($2::int[], $3::int[], $4::int[])" +
		" WITH ORDINALITY AS given (item_id, quantity, price_cents, line)"

	waitQuery = "SELECT pg_sleep($1::int / 1000.0)"
)
