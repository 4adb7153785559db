"""Processes that lost their parent, such as daemons: the lab takes that place."""
