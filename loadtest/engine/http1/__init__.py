"""HTTP/1.1 as a client reads it: heads, and whole responses (RFC 9112)."""
