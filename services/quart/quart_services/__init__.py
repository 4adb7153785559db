"""The contract in Quart: Flask's API on an event loop."""
