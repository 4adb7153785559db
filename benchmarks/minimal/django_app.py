"""A Django project in one file and without middleware, as the yardstick for its services."""

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="of no use", USE_TZ=True)


def message(_: HttpRequest) -> JsonResponse:
    return JsonResponse({"message": "Hello, World!"})


def ready(_: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ready"})


urlpatterns = [path("json", message), path("readyz", ready)]
app = get_wsgi_application()
asgi = get_asgi_application()
