"""The page of a probe, its chart and its table."""
