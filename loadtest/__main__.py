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
