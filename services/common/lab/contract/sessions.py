"""The signed session cookie."""

from __future__ import annotations

import secrets

from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode, want_bytes

from lab.contract import errors
from lab.settings import Settings

COOKIE = "session"
MAX_AGE_S = 8 * 60 * 60


class Signer(TimestampSigner):
    """Takes a signature in its one right spelling.

    The last character of a base64 text has unused bits. itsdangerous accepts any value of them, and
    also characters that are not base64.
    """

    def verify_signature(self, value: str | bytes, sig: str | bytes) -> bool:
        """Whether `sig` is the signature of `value`, to the last bit of its text."""
        if not super().verify_signature(value, sig):
            return False
        return bool(base64_encode(base64_decode(sig)) == want_bytes(sig))


class Sessions:
    """Signs user names into cookie values and reads them back.

    Workers of one service must share a secret: `lab.serve` makes one where none is set.
    """

    def __init__(self, settings: Settings) -> None:
        secret = settings.session_secret or secrets.token_hex(32)
        self._serializer = URLSafeTimedSerializer(secret, salt="lab.session", signer=Signer)

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
