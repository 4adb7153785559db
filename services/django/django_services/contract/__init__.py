"""Django's side of the contract: routes, requests, errors, and the work in the database."""
