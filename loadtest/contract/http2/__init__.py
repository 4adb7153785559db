"""HTTP/2: which services speak it, and what one connection then carries."""
