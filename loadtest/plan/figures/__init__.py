"""What a measure is, and what it makes of one trial."""
