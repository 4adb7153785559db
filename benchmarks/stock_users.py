"""Locust's own HTTP users, asking for `/json` without a pause or a check."""

from __future__ import annotations

from typing import Any

from locust import FastHttpUser, HttpUser, task


class Fast(FastHttpUser):
    """geventhttpclient underneath."""

    @task
    def get_json(self) -> None:
        """One request."""
        self.client.get("/json")


class Plain(HttpUser):
    """requests underneath."""

    client: Any

    @task
    def get_json(self) -> None:
        """One request."""
        self.client.get("/json")
