"""Plans for services of the user's own."""
