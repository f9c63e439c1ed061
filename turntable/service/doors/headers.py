"""Headers that keep a browser from doing more with an answer than showing it."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "style-src 'self' 'unsafe-inline'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
"""Scripts and pictures of this service alone, in no frame of another."""


class Careful:
    """The application, whose answers are taken for what they say they are, and run nothing of others.

    Args:
        app: What answers.
        has_keys: Whether some of its answers need a token.
    """

    def __init__(self, app: ASGIApp, has_keys: bool = False) -> None:
        self._app, self._has_keys = app, has_keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Content-Security-Policy"] = POLICY
                if self._has_keys:  # the same address answers differently to who has another key
                    headers.add_vary_header("Authorization, Cookie")
            await send(message)

        await self._app(scope, receive, with_headers)
