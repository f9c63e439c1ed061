"""A route, which says all there is to say of an address: requests are read by it, and described by it."""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any, get_type_hints

import anyio.to_thread
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from turntable.service.doors import Asked, Need, asker_of_request, checked, said_in, schema_of
from turntable.service.routes.replies import reply_in

Endpoint = Callable[..., Response] | Callable[..., Awaitable[Response]]


class Count(Convertor[int]):
    """A number in an address, of so few digits that it is one: ``{view:count}``."""

    regex = "[0-9]{1,9}"
    most = 10**9 - 1

    def convert(self, value: str) -> int:
        """Read it."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Write it."""
        return str(value)


register_url_convertor("count", Count())


class ServiceRoute(Route):
    """An address, what is needed to ask for it, and what answers.

    The endpoint's types say the rest. Where it takes ``asked``, that is read from the query of a GET or the
    body of a POST, and checked. What it returns says what comes back (``reply``).

    Args:
        path: As Starlette writes it.
        need: The permission; that for a data set is for the one in the path (``name``), or else for the one
            that is asked for (``dataset``).
        endpoint: What answers a request. It runs in a thread unless it is a coroutine: what reads disks must
            not hold up who waits for something else.
        methods: By which it is asked; GET if none is given.
        statuses: Those that only this address answers.
        described: Whether ``/openapi.json`` has it.

    Raises:
        ValueError: It needs the permission for a data set that nobody names.
    """

    def __init__(
        self,
        path: str,
        need: Need,
        endpoint: Endpoint,
        *methods: str,
        statuses: tuple[int, ...] = (),
        described: bool = True,
    ) -> None:
        types = get_type_hints(endpoint, include_extras=True)
        self.need: Need = need
        self.statuses = statuses
        self.reply = reply_in(types["return"]) if described else None
        self.asked: type[Asked] | None = types.get("asked")
        super().__init__(path, _guarded(need, endpoint, self.asked), methods=methods or ("GET",))
        named = {*self.param_convertors, *(schema_of(self.asked).get("required", ()) if self.asked else ())}
        if need in ("read", "render") and not named & {"name", "dataset"}:
            raise ValueError(f"{path}: nothing names the data set for which {need} is needed")

    @property
    def ways(self) -> list[str]:
        """Return the methods by which it is asked, but HEAD, which is GET without the body."""
        return sorted((self.methods or set()) - {"HEAD"})


def _guarded(
    need: Need, endpoint: Endpoint, model: type[Asked] | None
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that answers those alone who may ask for it, and reads what they ask for then.

    The check is on the route that was found, by the name that it has found: no other reading of the address
    can come to another result.
    """
    run: Any = endpoint if iscoroutinefunction(endpoint) else partial(anyio.to_thread.run_sync, endpoint)

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        named = request.path_params.get("name")
        _check(request, need, named)
        if model is None:
            return await run(request)
        said = await said_in(request, model)
        if named is None:
            _check(request, need, said.get("dataset"))
        return await run(request, checked(said, model))

    return answer


def _check(request: Request, need: Need, dataset: object) -> None:
    """Let pass who may ask. Raises HTTPException (401, 403) for all others.

    A permission for a data set that is not known yet, or is no name, is not looked at: then only who showed a
    token or link that is wrong is refused.
    """
    asker = asker_of_request(request)
    if need == "admin":
        asker.check(need, None)
    elif need in ("read", "render") and isinstance(dataset, str):
        asker.check(need, dataset)
    elif need != "nothing":
        asker.check_shown()
