"""From trials to sentences."""
