"""How much the load generator can do on this machine, and how much the services."""
