"""Many clients at once, and what Postgres sees of them."""
