"""Endpoints that store a browser's token in a cookie which scripts cannot read."""

from starlette.exceptions import HTTPException
from starlette.requests import Request

from turntable.service.routes.responses import JsonResponse
from turntable.service.schemas import StatusOk
from turntable.service.security import TOKEN_COOKIE, AccessFile, RequestParams


class Login(RequestParams):
    """A token to store in a cookie."""

    token: str


class SessionEndpoints:
    """Endpoints with which a browser signs in and out."""

    def __init__(self, access: AccessFile | None) -> None:
        self._access = access

    async def login(self, request: Request, params: Login) -> JsonResponse[StatusOk]:
        """Store a token in a cookie, so that a browser can request pictures."""
        # Without a file of tokens any text is accepted that a cookie can hold.
        known = (
            params.token.isascii()
            if self._access is None
            else self._access.read_current().find_token(params.token)
        )
        if not known:
            raise HTTPException(401, "the token is unknown, expired or revoked")
        response = JsonResponse[StatusOk]({"status": "ok"})
        response.set_cookie(
            TOKEN_COOKIE, params.token, httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
        return response

    async def logout(self, _: Request) -> JsonResponse[StatusOk]:
        """Delete the cookie with the token."""
        response = JsonResponse[StatusOk]({"status": "ok"})
        response.delete_cookie(TOKEN_COOKIE, httponly=True, samesite="strict")
        return response
