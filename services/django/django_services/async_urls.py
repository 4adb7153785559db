"""The routes of the ASGI service."""

from __future__ import annotations

from django_services import async_views
from django_services.contract.routes import HANDLER_400, HANDLER_404, HANDLER_500, routes

urlpatterns = routes(async_views)
handler400, handler404, handler500 = HANDLER_400, HANDLER_404, HANDLER_500
