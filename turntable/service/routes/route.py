"""The route class: it checks permissions, parses requests, and describes itself for ``/openapi.json``."""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any, get_type_hints

import anyio.to_thread
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from turntable.service.routes.responses import find_response_spec
from turntable.service.security import (
    Permission,
    RequestParams,
    get_client,
    get_schema,
    parse_params,
    read_params,
)

Endpoint = Callable[..., Response] | Callable[..., Awaitable[Response]]


class CountConvertor(Convertor[int]):
    """A path convertor for a whole number of at most nine digits, written ``{view:count}``.

    Starlette's own ``int`` takes any number of digits, which Python refuses to parse or NumPy cannot hold.
    """

    regex = "[0-9]{1,9}"
    max_value = 10**9 - 1
    """Largest number that the pattern matches."""

    def convert(self, value: str) -> int:
        """Return the number that the path contains."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Return the number as it is written in a path."""
        return str(value)


register_url_convertor("count", CountConvertor())


class ServiceRoute(Route):
    """A route: a path, the permission that it needs, and its endpoint.

    The endpoint's annotations describe the rest. If it takes ``params``, they are read from the query of a
    GET or from the body of a POST and checked against their model. Its return annotation describes the
    response.

    Args:
        path: Path in Starlette's syntax.
        permission: Permission that the route needs. If it is for a data set, that is the one in the path
            (``name``), or else the one among the parameters (``dataset``).
        endpoint: Function that answers a request. It runs in a thread unless it is a coroutine function, so
            that reading from disk does not block other requests.
        methods: HTTP methods; GET if none is given.
        statuses: Further statuses that only this route responds with.
        is_described: True if ``/openapi.json`` describes the route.

    Raises:
        ValueError: The permission is for a data set, but neither path nor parameters name one.
    """

    def __init__(
        self,
        path: str,
        permission: Permission,
        endpoint: Endpoint,
        *methods: str,
        statuses: tuple[int, ...] = (),
        is_described: bool = True,
    ) -> None:
        types = get_type_hints(endpoint, include_extras=True)
        self.permission: Permission = permission
        self.statuses = statuses
        self.response_spec = find_response_spec(types["return"]) if is_described else None
        self.params_model: type[RequestParams] | None = types.get("params")
        super().__init__(
            path, _guard_endpoint(permission, endpoint, self.params_model), methods=methods or ("GET",)
        )
        required_names = {
            *self.param_convertors,
            *(get_schema(self.params_model).get("required", ()) if self.params_model else ()),
        }
        if permission in ("read", "render") and not required_names & {"name", "dataset"}:
            raise ValueError(f"{path}: no parameter names the data set that needs permission {permission!r}")

    @property
    def http_methods(self) -> list[str]:
        """The HTTP methods, without HEAD, which is GET without the body."""
        return sorted((self.methods or set()) - {"HEAD"})


def _guard_endpoint(
    permission: Permission, endpoint: Endpoint, model: type[RequestParams] | None
) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint behind a check of the permission and the parsing of its parameters.

    The check uses the route that Starlette matched and the name that it extracted. A check that parsed the
    path again, in a middleware, could come to another result than the routing does.
    """
    run: Any = endpoint if iscoroutinefunction(endpoint) else partial(anyio.to_thread.run_sync, endpoint)

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        dataset = request.path_params.get("name")
        # Checked first, so that a client without the permission learns nothing about the parameters.
        _check_access(request, permission, dataset)
        if model is None:
            return await run(request)
        raw = await read_params(request, model)
        if dataset is None:
            _check_access(request, permission, raw.get("dataset"))
        return await run(request, parse_params(raw, model))

    return answer


def _check_access(request: Request, permission: Permission, dataset: object) -> None:
    """Raise HTTPException (401 or 403) if the client lacks a permission.

    If the data set is not known yet, or is not a text, its permission is not checked: then only a wrong token
    or link is refused.
    """
    client = get_client(request)
    if permission == "admin":
        client.check_access(permission, None)
    elif permission in ("read", "render") and isinstance(dataset, str):
        client.check_access(permission, dataset)
    elif permission != "nothing":
        client.check_credentials()
