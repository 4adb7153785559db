"""FastAPI in four services that differ in one thing: who waits, and where CPU work runs."""
