"""From what a probe saw to slots, a name for what binds, and sentences. Pure."""
