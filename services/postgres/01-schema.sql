-- The lab's tables. Running this file again changes nothing.

CREATE TABLE IF NOT EXISTS items (
    id integer PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL,
    price_cents integer NOT NULL CHECK (price_cents > 0),
    stock integer NOT NULL CHECK (stock >= 0)
);

CREATE TABLE IF NOT EXISTS customers (
    id integer PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE IF NOT EXISTS orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    note text NOT NULL CHECK (length(note) <= 500),
    total_cents bigint NOT NULL CHECK (total_cents > 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS order_lines (
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    line integer NOT NULL CHECK (line BETWEEN 1 AND 500),
    item_id integer NOT NULL REFERENCES items,
    quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 1000),
    price_cents integer NOT NULL CHECK (price_cents > 0),
    PRIMARY KEY (order_id, line)
);
