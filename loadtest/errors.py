"""What the lab's errors have in common."""


class LabError(Exception):
    """Foreseeable trouble. The message is one line: what is wrong, where, and what to do."""
