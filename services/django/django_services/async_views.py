"""The contract's routes for ASGI: async views, with the database work in the request's thread."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse

from django_services.contract import operations
from django_services.contract.requests import ContractView, json_body, query
from lab.contract import errors, orders, streams, validation, work


class Plaintext(ContractView):
    async def get(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse("Hello, World!", content_type="text/plain")


class Json(ContractView):
    async def get(self, _: HttpRequest) -> HttpResponse:
        return JsonResponse({"message": "Hello, World!"})


class Items(ContractView):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(await sync_to_async(operations.list_items)(query(request)))


class Item(ContractView):
    async def get(self, _: HttpRequest, item_id: str) -> HttpResponse:
        return JsonResponse(await sync_to_async(operations.get_item)(item_id))


class Orders(ContractView):
    async def post(self, request: HttpRequest) -> HttpResponse:
        order = orders.new_order(json_body(request))
        return JsonResponse(await sync_to_async(operations.create_order)(order), status=201)


class Wait(ContractView):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(await sync_to_async(operations.wait)(query(request)))


class Fanout(ContractView):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(await sync_to_async(operations.fan_out)(query(request)))


class Stream(ContractView):
    async def get(self, request: HttpRequest) -> StreamingHttpResponse:
        n, ms = validation.numbers(query(request), validation.STREAM_N, validation.STREAM_MS)
        return StreamingHttpResponse(streams.evented(n, ms), content_type=streams.MEDIA_TYPE)


class Cpu(ContractView):
    async def get(self, request: HttpRequest) -> HttpResponse:
        (n,) = validation.numbers(query(request), validation.CPU_N)
        return JsonResponse({"n": n, "result": work.compute(n)})


class Session(ContractView):
    async def post(self, request: HttpRequest) -> HttpResponse:
        username = orders.username(json_body(request))
        await request.session.aset("username", username)
        return JsonResponse({"username": username}, status=201)

    async def delete(self, request: HttpRequest) -> HttpResponse:
        await request.session.aflush()
        return HttpResponse(status=204)


class Me(ContractView):
    async def get(self, request: HttpRequest) -> HttpResponse:
        username = await request.session.aget("username")
        if username is None:
            raise errors.unauthorized()
        return JsonResponse({"username": username})


class About(ContractView):
    async def get(self, _: HttpRequest) -> HttpResponse:
        return JsonResponse(settings.LAB_ABOUT.document())


class Healthz(ContractView):
    async def get(self, _: HttpRequest) -> HttpResponse:
        return JsonResponse({"status": "ok"})


class Readyz(ContractView):
    async def get(self, _: HttpRequest) -> HttpResponse:
        await sync_to_async(operations.check_ready)()
        return JsonResponse({"status": "ready"})
