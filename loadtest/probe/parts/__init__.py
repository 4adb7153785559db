"""The parts of a probe: the ramp, waves, a light request beside it, the look at the end."""
