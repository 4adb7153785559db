"""FastAPI in four rows that differ in one thing: who waits, and where CPU work runs."""
