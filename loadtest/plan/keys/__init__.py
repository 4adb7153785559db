"""Keys of an experiment's file."""
