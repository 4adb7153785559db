"""Benchmarks of whole trials and runs: what their witnesses cost, and whether verdicts agree."""
