"""How many requests at once a service of anybody's works on, and what binds it."""
