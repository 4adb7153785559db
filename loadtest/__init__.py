"""Load, experiments and reports for the concurrency lab."""
