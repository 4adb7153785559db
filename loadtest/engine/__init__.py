"""Connections on one event loop: load as fast as one core can make it."""
