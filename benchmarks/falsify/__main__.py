"""`make falsify`, or `python -m benchmarks.falsify`."""

from benchmarks.falsify.rounds import main

main()
