"""Log in, ask, log out: requests that depend on the answer before; and those of a stranger."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loadtest.engine.http1.responses import Response
from loadtest.engine.http_request import body_is, http_request, json_fits, json_is
from loadtest.engine.request import Request


class SessionSteps(Iterator[Request]):
    """One user's endless round; a step that fails sends the user back to the login."""

    def __init__(self, host: str, username: str) -> None:
        self._host = host
        self._user = {"username": username}
        self._step = 0
        self._reached = 0
        self._cookie = ""

    def __next__(self) -> Request:
        if self._reached != self._step or self._step == 3:
            self._step = self._reached = 0
        self._step += 1
        return (self._log_in, self._me, self._log_out)[self._step - 1]()

    def _log_in(self) -> Request:
        return _login(self._host, self._user, self._keep_cookie)

    def _me(self) -> Request:
        return self._with_cookie("GET", "/me")

    def _log_out(self) -> Request:
        return self._with_cookie("DELETE", "/session")

    def _with_cookie(self, method: str, path: str) -> Request:
        check = json_is(self._user) if method == "GET" else body_is(b"", 204)
        headers = _sent(self._cookie)
        return http_request(method, self._host, path, check, headers=headers, keep=self._advance)

    def _keep_cookie(self, response: Response) -> None:
        self._cookie = _cookie(response)
        self._advance(response)

    def _advance(self, _: Response) -> None:
        self._reached += 1


class KeptSession(Iterator[Request]):
    """A user who logs in once, and then asks the same for ever."""

    def __init__(self, host: str, username: str) -> None:
        self._host = host
        self._user = {"username": username}
        self._me: Request | None = None

    def __next__(self) -> Request:
        return self._me or _login(self._host, self._user, self._logged_in)

    def _logged_in(self, response: Response) -> None:
        headers = _sent(_cookie(response))
        self._me = http_request("GET", self._host, "/me", json_is(self._user), headers=headers)


def stranger(host: str) -> Request:
    """Ask who I am without a session, which is refused."""
    refused = json_fits(lambda answer: bool(answer["error"]["code"] == "unauthorized"), 401)
    return http_request("GET", host, "/me", refused)


def _login(host: str, user: dict[str, str], keep: Callable[[Response], None]) -> Request:
    right_user = json_is(user, 201)

    def check(response: Response) -> str:
        return right_user(response) or ("" if _cookie(response) else "no session cookie")

    return http_request("POST", host, "/session", check, body=user, keep=keep)


def _sent(cookie: str) -> dict[str, str]:
    return {"Cookie": f"session={cookie}"}


def _cookie(response: Response) -> str:
    """The value of the cookie `session` that the answer sets; empty where it sets none."""
    for name, value in response.head.fields:
        if name == b"set-cookie" and value.startswith(b"session="):
            return value[8:].partition(b";")[0].decode("latin-1")
    return ""
