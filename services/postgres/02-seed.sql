-- 10,000 items, 1,000 customers and 100 orders, the same on every machine: all values are
-- computed from the row's number. Running this file again changes nothing.

INSERT INTO items (id, name, description, price_cents, stock)
SELECT
    n,
    (ARRAY['Amber', 'Azure', 'Coral', 'Ivory', 'Jade', 'Ochre', 'Ruby', 'Slate'])[1 + n % 8]
        || ' '
        || (ARRAY['bowl', 'clock', 'desk', 'kettle', 'lamp', 'mirror', 'shelf', 'vase', 'stool'])[1 + n % 9]
        || ' ' || n,
    'Catalogue number ' || lpad(n::text, 5, '0') || ', made in workshop ' || 1 + n % 17
        || ' – ' || 20 + n * 7 % 180 || ' × ' || 20 + n * 11 % 180 || ' mm.',
    100 + n * 7919 % 99900,
    n * 31 % 500
FROM generate_series(1, 10000) AS n
ON CONFLICT DO NOTHING;

INSERT INTO customers (id, name)
SELECT n, 'Customer ' || n
FROM generate_series(1, 1000) AS n
ON CONFLICT DO NOTHING;

-- Only into an empty table: the numbers of orders are the database's own.
WITH fresh AS (
    INSERT INTO orders (customer_id, note, total_cents)
    SELECT 1 + n * 37 % 1000, 'Seed order ' || n, price_cents * (1 + n % 3)
    FROM generate_series(1, 100) AS n
    JOIN items ON items.id = 1 + n * 97 % 10000
    WHERE NOT EXISTS (SELECT FROM orders)
    ORDER BY n
    RETURNING id, split_part(note, ' ', 3)::integer AS n
)
INSERT INTO order_lines (order_id, line, item_id, quantity, price_cents)
SELECT fresh.id, 1, items.id, 1 + n % 3, price_cents
FROM fresh
JOIN items ON items.id = 1 + n * 97 % 10000;

ANALYZE items, customers, orders, order_lines;
