"""FastAPI's side of the contract: what is received, what is sent, and every error."""
