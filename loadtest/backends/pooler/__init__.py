"""Connection poolers that the native mode runs between services and Postgres."""
