"""The signed session cookie."""

from __future__ import annotations

import secrets

from itsdangerous import BadSignature, URLSafeTimedSerializer

from lab.contract import errors
from lab.settings import Settings

COOKIE = "session"
MAX_AGE_S = 8 * 60 * 60


class Sessions:
    """Signs user names into cookie values and reads them back.

    Workers of one row must share a secret: `lab.serve` makes one where none is set.
    """

    def __init__(self, settings: Settings) -> None:
        secret = settings.session_secret or secrets.token_hex(32)
        self._serializer = URLSafeTimedSerializer(secret, salt="lab.session")

    def sign(self, username: str) -> str:
        """The cookie value for `username`."""
        value = self._serializer.dumps(username)
        return value if isinstance(value, str) else value.decode("ascii")

    def username(self, cookie: str | None) -> str:
        """Who a cookie value says you are; raises a 401 Fault."""
        try:
            return str(self._serializer.loads(cookie or "", max_age=MAX_AGE_S))
        except BadSignature:
            raise errors.unauthorized() from None


def set_cookie(value: str) -> str:
    """The Set-Cookie header that stores `value`."""
    return f"{COOKIE}={value}; HttpOnly; Max-Age={MAX_AGE_S}; Path=/; SameSite=Lax"


def clear_cookie() -> str:
    """The Set-Cookie header that removes the session."""
    return f'{COOKIE}=""; HttpOnly; Max-Age=0; Path=/; SameSite=Lax'
