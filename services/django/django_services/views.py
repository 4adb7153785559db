"""The contract's routes for WSGI: a thread runs a view from its first line to its last."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse

from django_services.contract import operations
from django_services.contract.requests import ContractView, json_body, query
from lab.contract import errors, orders, streams, validation, work


class Plaintext(ContractView):
    def get(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse("Hello, World!", content_type="text/plain")


class Json(ContractView):
    def get(self, _: HttpRequest) -> HttpResponse:
        return JsonResponse({"message": "Hello, World!"})


class Items(ContractView):
    def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(operations.list_items(query(request)))


class Item(ContractView):
    def get(self, _: HttpRequest, item_id: str) -> HttpResponse:
        return JsonResponse(operations.get_item(item_id))


class Orders(ContractView):
    def post(self, request: HttpRequest) -> HttpResponse:
        order = orders.new_order(json_body(request))
        return JsonResponse(operations.create_order(order), status=201)


class Wait(ContractView):
    def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(operations.wait(query(request)))


class Fanout(ContractView):
    def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(operations.fan_out(query(request)))


class Stream(ContractView):
    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        n, ms = validation.numbers(query(request), validation.STREAM_N, validation.STREAM_MS)
        events = streams.threaded(n, ms, streams.client(request.META))
        return StreamingHttpResponse(events, content_type=streams.MEDIA_TYPE)


class Cpu(ContractView):
    def get(self, request: HttpRequest) -> HttpResponse:
        (n,) = validation.numbers(query(request), validation.CPU_N)
        return JsonResponse({"n": n, "result": work.compute(n)})


class Session(ContractView):
    def post(self, request: HttpRequest) -> HttpResponse:
        username = orders.username(json_body(request))
        request.session["username"] = username
        return JsonResponse({"username": username}, status=201)

    def delete(self, request: HttpRequest) -> HttpResponse:
        request.session.flush()
        return HttpResponse(status=204)


class Me(ContractView):
    def get(self, request: HttpRequest) -> HttpResponse:
        username = request.session.get("username")
        if username is None:
            raise errors.unauthorized()
        return JsonResponse({"username": username})


class About(ContractView):
    def get(self, _: HttpRequest) -> HttpResponse:
        return JsonResponse(settings.LAB_ABOUT.document())


class Healthz(ContractView):
    def get(self, _: HttpRequest) -> HttpResponse:
        return JsonResponse({"status": "ok"})


class Readyz(ContractView):
    def get(self, _: HttpRequest) -> HttpResponse:
        operations.check_ready()
        return JsonResponse({"status": "ready"})
