"""What every service answers: routes, bodies, checks, errors, sessions."""
