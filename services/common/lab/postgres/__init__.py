"""Postgres for code that blocks and for code that awaits, under the same rules."""
