"""The Flask rows: one application, three gunicorn workers to run it."""
