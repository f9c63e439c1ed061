"""Endpoints of a browser's session: its state, and its token in a cookie that no script can read."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from turntable.service.catalog import DatasetCatalog
from turntable.service.routes.responses import JsonResponse
from turntable.service.schemas import Session, SessionToken, StatusOk
from turntable.service.security import (
    TOKEN_COOKIE,
    AccessFile,
    RequestParams,
    TokenRecord,
    get_client,
)


class Login(RequestParams):
    """A token to store in a cookie."""

    token: str


class SessionEndpoints:
    """Endpoints with which a browser signs in and out, and learns whether it is signed in."""

    def __init__(self, catalog: DatasetCatalog, access: AccessFile | None) -> None:
        self._catalog, self._access = catalog, access

    def session(self, request: Request) -> JsonResponse[Session]:
        """Report which token was sent, if any, and how many data sets can be read without one."""
        client = get_client(request)
        session: Session = {
            "needs_token": self._access is not None,
            "token": None if client.token is None else _describe_token(client.token),
            "token_error": client.token_error,
            "public_datasets": sum(client.is_public(entry.name) for entry in self._catalog.list_entries()),
        }
        response = JsonResponse(session)
        response.headers["Cache-Control"] = "no-store"
        return response

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
        _set_cookie(response, request, params.token)
        return response

    async def logout(self, request: Request) -> JsonResponse[StatusOk]:
        """Delete the cookie with the token."""
        response = JsonResponse[StatusOk]({"status": "ok"})
        _set_cookie(response, request, "", max_age=0)
        return response


def _set_cookie(response: Response, request: Request, text: str, max_age: int | None = None) -> None:
    response.set_cookie(
        TOKEN_COOKIE,
        text,
        max_age,
        path=None,  # then the browser takes the folder of the URL: the service's root, under any prefix
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def _describe_token(token: TokenRecord) -> SessionToken:
    return {
        "name": token.name,
        "scopes": list(token.scopes),
        "datasets": list(token.datasets),
        "expires": token.expires,
    }
