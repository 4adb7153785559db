"""Every SQL statement of the contract, once.

Parameters are Postgres' own `$1`, which asyncpg, pgx, node-postgres and `psycopg.RawCursor` take.
`percent` rewrites a statement for libraries that only know `%s`.
"""

from __future__ import annotations

import re

ITEM = "SELECT id, name, description, price_cents, stock FROM items WHERE id = $1"
ITEMS = "SELECT id, name, description, price_cents, stock FROM items ORDER BY id LIMIT $1 OFFSET $2"
CUSTOMER = "SELECT id FROM customers WHERE id = $1"
PRICES = "SELECT id, price_cents FROM items WHERE id = ANY($1::int[])"
NEW_ORDER = (
    "INSERT INTO orders (customer_id, note, total_cents) VALUES ($1, $2, $3::bigint) RETURNING id"
)
NEW_LINES = (
    "INSERT INTO order_lines (order_id, line, item_id, quantity, price_cents)"
    " SELECT $1::bigint, line, item_id, quantity, price_cents"
    " FROM unnest($2::int[], $3::int[], $4::int[])"
    " WITH ORDINALITY AS given (item_id, quantity, price_cents, line)"
)
WAIT = "SELECT pg_sleep($1::int / 1000.0)"
PING = "SELECT 1"


def percent(query: str) -> str:
    """`query` with `%s` for `$1`, `$2` … (every statement uses each once and in order)."""
    return re.sub(r"\$\d+", "%s", query.replace("%", "%%"))
