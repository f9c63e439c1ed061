"""A browser's token, in a cookie that no script reads."""

from starlette.exceptions import HTTPException
from starlette.requests import Request

from turntable.service.documents import StatusOk
from turntable.service.doors import COOKIE, AccessFile, Asked
from turntable.service.routes.replies import Json


class Login(Asked):
    """A token to be kept."""

    token: str


class SessionEndpoints:
    """Answers to a browser that signs in or out."""

    def __init__(self, access: AccessFile | None) -> None:
        self._access = access

    async def login(self, request: Request, asked: Login) -> Json[StatusOk]:
        """Keep a token in the browser, so that its pictures can be asked for."""
        # Without a file of tokens any text is kept that a cookie can hold.
        known = asked.token.isascii() if self._access is None else self._access.current().holder(asked.token)
        if not known:
            raise HTTPException(401, "the token is unknown, expired or revoked")
        answer = Json[StatusOk]({"status": "ok"})
        answer.set_cookie(
            COOKIE, asked.token, httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
        return answer

    async def logout(self, _: Request) -> Json[StatusOk]:
        """Forget the token that a browser keeps."""
        answer = Json[StatusOk]({"status": "ok"})
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer
