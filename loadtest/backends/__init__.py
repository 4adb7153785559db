"""Where services run: as processes here, or in containers."""
