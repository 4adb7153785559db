"""What workers count, and the process beside them that shows it to Prometheus."""
