"""Trials of services that somebody else runs."""
