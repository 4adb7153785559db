"""Django's PostgreSQL backend, with its pool watched."""
