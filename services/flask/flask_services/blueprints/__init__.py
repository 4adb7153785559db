"""The contract's routes, a blueprint for each kind."""
