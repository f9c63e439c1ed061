"""Security headers: they keep a browser from running or leaking what a response contains."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "style-src 'self' 'unsafe-inline'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
"""Value of the header: scripts and pictures come from this service only, and no other page may frame it.

Inline styles are allowed, as the gallery sets some; inline scripts are not."""


class SecurityHeadersMiddleware:
    """An ASGI middleware that adds security headers to each response.

    Args:
        app: The application.
        has_tokens: True if some responses depend on a token.
    """

    def __init__(self, app: ASGIApp, has_tokens: bool = False) -> None:
        self._app, self._has_tokens = app, has_tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and add the headers to its response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
                if self._has_tokens:  # caches must not give the response to one token to another
                    headers.add_vary_header("Authorization, Cookie")
            await send(message)

        await self._app(scope, receive, send_with_headers)
