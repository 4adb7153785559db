"""Locust's page: its form, what the lab adds to it, and what it refuses."""
