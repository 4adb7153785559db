"""One step after another: so many requests at once, and what comes back."""
