"""How much load the generator can make on this machine."""
