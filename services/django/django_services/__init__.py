"""The Django rows: one project, served over WSGI with threads or over ASGI with async views."""
