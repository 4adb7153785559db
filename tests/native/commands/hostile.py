"""An environment that is made for other programs: each of these once stopped a run."""

from __future__ import annotations

import os
from pathlib import Path

NOWHERE = "http://127.0.0.1:9"  # nothing listens there
HOSTILE = {
    # Python
    "PYTHONOPTIMIZE": "2",
    "PYTHONWARNINGS": "error",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONINSPECT": "1",
    "LC_ALL": "C",
    # An office's proxy
    **dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"), NOWHERE),
    # Postgres
    "PGSSLMODE": "require",
    "PGOPTIONS": "-c statement_timeout=1",
    "PGHOST": "nowhere.invalid",
    "PGPORT": "1",
    "PGSERVICE": "nowhere",
    "PGREQUIREAUTH": "none",
    "PGTARGETSESSIONATTRS": "standby",
    "PSYCOPG_IMPL": "nowhere",
    # Locust and gevent
    "LOCUST_RUN_TIME": "1s",
    "LOCUST_PROCESSES": "3",
    "LOCUST_TAGS": "other",
    "LOCUST_CSV": "figures",
    "LOCUST_USER_CLASSES": "Other",
    "GEVENT_RESOLVER": "nowhere",
    "GEVENT_LOOP": "nowhere",
    # Servers and frameworks
    "GUNICORN_CMD_ARGS": "--workers 7 --bind 127.0.0.1:1",
    "WEB_CONCURRENCY": "5",
    "UVICORN_WORKERS": "9",
    "FLASK_DEBUG": "1",
    "DJANGO_SETTINGS_MODULE": "nowhere",
    "PROMETHEUS_MULTIPROC_DIR": "/nowhere",
    "NODE_OPTIONS": "--nowhere",
    "GIT_DIR": "/nowhere",
    "LISTEN_FDS": "3",
}


def hostile(folder: Path) -> dict[str, str]:
    """HOSTILE, with files of the user's own in `folder`."""
    modules = folder / "modules"
    modules.mkdir(parents=True)
    (modules / "statistics.py").write_text("raise SystemExit('the module of the user')")
    home = folder / "home"
    home.mkdir()
    (home / ".locust.conf").write_text("run-time = 1s\ntags = other\n")
    (home / ".psqlrc").write_text("\\q\n")
    long = folder / ("x" * (104 - len(os.fsencode(folder))))
    long.mkdir()
    return HOSTILE | {"PYTHONPATH": str(modules), "HOME": str(home), "TMPDIR": str(long)}
