"""A run that the repository shows: docs/results.md, its page, and the table in the README."""
