"""The parts of a probe: more and more connections, waves, a light request beside, a look at the end."""
