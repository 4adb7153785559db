"""Commands for services of the user's own."""
