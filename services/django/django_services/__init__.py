"""The Django services: one project, served over WSGI with threads or over ASGI with async views."""
