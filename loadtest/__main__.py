"""`python -m loadtest`."""

import sys

try:
    from loadtest.system import environment

    environment.clean("loadtest")

    from loadtest.cli import main

    main()
except KeyboardInterrupt:
    # Ctrl-C while the modules are still being read.
    sys.exit(130)
except ModuleNotFoundError as missing:
    package = (missing.name or "").partition(".")[0]
    if package in ("", "loadtest"):
        raise
    told = f"loadtest: {sys.executable} has no {package}"
    print(f"{told}; run make setup once, then .venv/bin/python -m loadtest", file=sys.stderr)
    sys.exit(2)
