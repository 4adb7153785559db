"""Flask's own first example, as the yardstick for its services."""

from flask import Flask

app = Flask(__name__)


@app.route("/json")
def message() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.route("/readyz")
def ready() -> dict[str, str]:
    return {"status": "ready"}
