"""Who the session cookie says you are, as a dependency."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Response
from fastapi.security import APIKeyCookie

from lab.contract import sessions
from lab.contract.sessions import Sessions

Cookie = Annotated[str | None, Depends(APIKeyCookie(name=sessions.COOKIE, auto_error=False))]


def log_in(signer: Sessions, username: str, response: Response) -> None:
    """Sign the session cookie into `response`."""
    response.set_cookie(
        sessions.COOKIE,
        signer.sign(username),
        max_age=sessions.MAX_AGE_S,
        httponly=True,
        samesite="lax",
    )


def log_out(response: Response) -> None:
    """Clear the session cookie in `response`."""
    response.delete_cookie(sessions.COOKIE, httponly=True, samesite="lax")
