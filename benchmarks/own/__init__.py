"""Benchmarks of what measures services of the user's own."""
