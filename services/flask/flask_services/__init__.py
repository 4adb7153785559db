"""The Flask services: one application, three gunicorn workers to run it."""
