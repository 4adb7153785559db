"""Locust around the engine."""
