"""The contract's routes, for either set of views."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from django.urls import path

HANDLER_400 = "django_services.contract.errors.bad_request"
HANDLER_404 = "django_services.contract.errors.not_found"
HANDLER_500 = "django_services.contract.errors.internal"


def routes(views: ModuleType) -> list[Any]:
    """The URL patterns that lead to the classes of `views`."""
    return [
        path("plaintext", views.Plaintext.as_view()),
        path("json", views.Json.as_view()),
        path("items", views.Items.as_view()),
        path("items/<str:item_id>", views.Item.as_view()),
        path("orders", views.Orders.as_view()),
        path("wait", views.Wait.as_view()),
        path("fanout", views.Fanout.as_view()),
        path("stream", views.Stream.as_view()),
        path("cpu", views.Cpu.as_view()),
        path("session", views.Session.as_view()),
        path("me", views.Me.as_view()),
        path("about", views.About.as_view()),
        path("healthz", views.Healthz.as_view()),
        path("readyz", views.Readyz.as_view()),
    ]
