"""The lab's locustfile, which does not wait for answers after the window: `witnesses.py` has it."""

from loadtest.engine import after
from loadtest.generator import locustfile

after.step = lambda *_: "let go"
globals().update({name: each for name, each in vars(locustfile).items() if name[:2] != "__"})
