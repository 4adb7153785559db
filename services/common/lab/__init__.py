"""What the Python services share: each service's own code shows one framework and nothing else.

How a service uses it (`app.py` of a service; every name is documented in its module)::

    from lab import about, settings
    from lab.contract import bodies, orders, validation
    from lab.contract.errors import Fault
    from lab.metrics import meters
    from lab.postgres import queries, threaded

    SETTINGS = settings.load()                          # environment -> frozen dataclass
    METRICS = meters.create(SETTINGS)                   # this worker's counters
    DATABASE = threaded.Threaded(SETTINGS, METRICS)     # psycopg pool; evented.Evented: asyncpg
    ABOUT = about.describe(SETTINGS, framework="Flask", server="gunicorn", model="threads",
                           packages=("flask", "gunicorn"), holders=("threads", SETTINGS.threads))
    METRICS.declare(ABOUT)

    item = DATABASE.row(queries.ITEM, 7)                # dict or None; Evented: await …
    order = DATABASE.order(new_order)                   # one transaction; raises Fault 422
    DATABASE.ready()                                    # raises Fault 503

    validation.number(text, validation.LIMIT)           # "20" -> 20, else Fault 422 naming `limit`
    bodies.check_head(content_type, length)             # Fault 415, 413
    orders.new_order(bodies.parse(raw))                 # Fault 400, 422: by hand, no Pydantic

    app = METRICS.wsgi(app, kind="thread")              # METRICS.asgi(app) for ASGI

Every `Fault` has `status`, `headers` and `document()`: a service turns it into its response in one
handler. Run a service as `python -m lab.serve SERVER ARGUMENTS…`: that serves /metrics as well.
"""
