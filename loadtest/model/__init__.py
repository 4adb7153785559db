"""Records without behaviour: loads and experiments."""
