"""Follow what a pickle of weights would make, without making anything.

torch reads pickles without running code (``weights_only``), but believes what they say: a storage longer than
its bytes, a tensor of terabytes over one number, and containers that name one another so often that to hash
or print them takes for ever. So each step is followed here first, and whatever ``torch.save`` does not write
of weights, numbers, texts and plain containers is refused.
"""

import pickletools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, NoReturn

from turntable.errors import IntegrityError, shown

MOST_PICKLE_BYTES = 4 * 2**20
"""The size of the pickle alone, without the numbers: enough for 16,000 tensors."""
MOST_DEPTH = 32
"""The depth of containers within one another."""
MOST_SHARED = 2
"""Tensors may take so many times the bytes of all storages: a few weights have two names."""

_ITEM_BYTES = {
    "torch BFloat16Storage": 2,
    "torch BoolStorage": 1,
    "torch ByteStorage": 1,
    "torch CharStorage": 1,
    "torch ComplexDoubleStorage": 16,
    "torch ComplexFloatStorage": 8,
    "torch DoubleStorage": 8,
    "torch FloatStorage": 4,
    "torch HalfStorage": 2,
    "torch IntStorage": 4,
    "torch LongStorage": 8,
    "torch ShortStorage": 2,
}
_TENSOR, _PARAMETER = "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter"
_CONTAINERS = frozenset({"collections OrderedDict", "collections Counter", "__builtin__ set"})
_PLAIN_MAKERS = frozenset({"torch Size", "torch device", "__builtin__ complex", "_codecs encode"})
_NAMESPACE = "argparse Namespace"
"""Options, which published code saves beside its weights."""
_DTYPE = re.compile(r"torch (u?int\d+|float\d+\w*|bfloat16|bool|complex\d+)")

_PLAIN = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_SPELLED = frozenset(
    {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "BINSTRING", "SHORT_BINSTRING"}
)
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True, slots=True)
class _Global:
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class _Tuple:
    items: tuple[Any, ...]
    depth: int


@dataclass(slots=True, eq=False)
class _Container:
    """A list, a dictionary, or an object that has one."""

    kind: str = ""
    """The name of its class; none of a list's or dictionary's."""
    depth: int = 1
    texts: set[str] = field(default_factory=set)
    """All texts among its keys and values."""


@dataclass(frozen=True, slots=True, eq=False)
class _Storage:
    num_bytes: int
    item_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class _Tensor:
    pass


def check_pickle(data: bytes, storages: Mapping[str, int]) -> None:
    """Make sure that a pickle holds weights and plain values alone, no larger than they are stored.

    Args:
        data: As ``torch.save`` writes it.
        storages: The bytes that there are of each storage, by its key.

    Raises:
        IntegrityError: It holds anything else.
    """
    if len(data) > MOST_PICKLE_BYTES:
        _refuse(f"{len(data):,} bytes of names, and at most {MOST_PICKLE_BYTES:,} are read")
    replay = _Replay(storages)
    try:
        for opcode, argument, _ in pickletools.genops(data):
            replay.step(opcode.name, argument)
    except (AttributeError, ValueError, IndexError, KeyError, TypeError) as error:
        raise IntegrityError(f"its pickle is broken ({shown(str(error))})") from error


@dataclass(slots=True)
class _Replay:
    """The stack of an unpickler, with descriptions in place of objects."""

    storages: Mapping[str, int]
    stack: list[Any] = field(default_factory=list)
    """The part above the last mark."""
    below: list[list[Any]] = field(default_factory=list)
    """The parts below each mark."""
    memo: dict[int, Any] = field(default_factory=dict)
    bytes_shown: int = 0
    """Bytes of all tensors, as their shapes say."""

    def step(self, name: str, argument: Any) -> None:
        """Follow one instruction."""
        if name in _SPELLED:
            self.stack.append(argument)
        elif name in _PLAIN:
            self.stack.append(_PLAIN[name])
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            self.stack.append(_again(self.memo[argument]))
        elif name == "MARK":
            self.below.append(self.stack)
            self.stack = []
        elif name == "GLOBAL":
            self.stack.append(_allowed(argument))
        elif name == "TUPLE" or name in _TUPLES:
            items = self._marked() if name == "TUPLE" else self._last(_TUPLES[name])
            self.stack.append(_Tuple(tuple(items), _depth_of(items)))
        elif name in ("EMPTY_DICT", "EMPTY_LIST", "EMPTY_SET"):
            self.stack.append(_Container())
        elif name in ("APPEND", "SETITEM"):
            self._fill(self._last(2 if name == "SETITEM" else 1))
        elif name == "BUILD":
            self._build(*self._last(1))
        elif name in ("APPENDS", "SETITEMS"):
            self._fill(self._marked())
        elif name in ("REDUCE", "NEWOBJ"):
            function, arguments = self._last(2)
            self.stack.append(self._made(function, arguments))
        elif name == "BINPERSID":
            self.stack.append(self._storage(*self.stack.pop().items))
        elif name not in ("PROTO", "STOP"):
            _refuse(f"an instruction {name}")

    def _last(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise IndexError("its stack is empty")
        found = self.stack[-count:]
        del self.stack[-count:]
        return found

    def _marked(self) -> list[Any]:
        """Take what stands above the last mark."""
        items, self.stack = self.stack, self.below.pop()
        return items

    def _fill(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, _Container):
            _refuse("values in what is no container")
        target.depth = max(target.depth, _depth_of(items))
        target.texts.update(item for item in items if isinstance(item, str))

    def _build(self, state: Any) -> None:
        """Follow the setting of attributes; those of a dictionary could stand in its methods' place."""
        if self.stack[-1].kind != _NAMESPACE and not state.texts <= {"_metadata"}:
            _refuse("a dictionary with attributes")
        self._fill([state])

    def _made(self, function: _Global, arguments: Any) -> Any:
        """Describe what a call makes."""
        name = function.name
        items: tuple[Any, ...] = () if arguments == () else arguments.items
        if name == _TENSOR:
            return self._tensor(*items[:4])
        if name == _PARAMETER and isinstance(items[0], _Tensor):
            return items[0]
        if name in _PLAIN_MAKERS:
            return _plain_made(name, items)
        if name not in _CONTAINERS and name != _NAMESPACE:
            _refuse(f"a call of {name}")
        return _Container(name, _depth_of(items))

    def _storage(self, kind: Any, of: _Global, key: str, location: Any, count: Any) -> _Storage:
        if kind != "storage" or not isinstance(location, str) or type(count) is not int:
            _refuse("a storage without a size")
        item_bytes, there = _ITEM_BYTES[of.name], self.storages[key]
        if not 0 <= count * item_bytes <= there:
            _refuse(f"a storage {shown(key, 20)} of {count:,} numbers in {there:,} bytes")
        return _Storage(count * item_bytes, item_bytes)

    def _tensor(self, storage: _Storage, offset: Any, size: Any, stride: Any) -> _Tensor:
        """Count the bytes that a tensor's shape asks for: over few numbers it may repeat them without end."""
        sides, steps = _whole_numbers(size), _whole_numbers(stride)
        _whole_numbers(_Tuple((offset,), 1))
        last = offset + sum((side - 1) * step for side, step in zip(sides, steps, strict=True))
        taken = prod(sides) * storage.item_bytes
        self.bytes_shown += taken
        if taken > storage.num_bytes or self.bytes_shown > MOST_SHARED * sum(self.storages.values()):
            shape = shown(str(list(sides[:8])), 60)
            _refuse(f"a tensor of shape {shape} over {storage.num_bytes:,} bytes, which repeats them")
        if taken and last * storage.item_bytes >= storage.num_bytes:
            _refuse("a tensor that ends after its numbers")
        return _Tensor()


def _whole_numbers(value: Any) -> tuple[int, ...]:
    """Read a shape: whole numbers from 0 on."""
    items: tuple[Any, ...] = () if value == () else value.items
    if any(type(item) is not int or item < 0 for item in items):
        _refuse("a tensor without a shape")
    return items


def _again(value: Any) -> Any:
    """Allow a value a second time, if it is none that can hold others: those would multiply."""
    if isinstance(value, _Container) or (isinstance(value, _Tuple) and value.depth > 1):
        _refuse("one container in several places")
    return value


def _allowed(name: str) -> _Global:
    known = name in _ITEM_BYTES or name in (_TENSOR, _PARAMETER, _NAMESPACE)
    if not (known or name in _CONTAINERS or name in _PLAIN_MAKERS or _DTYPE.fullmatch(name)):
        _refuse(f"{shown(name.replace(' ', '.'), 80)}, which is neither a weight nor a plain value")
    return _Global(name)


def _depth_of(items: "list[Any] | tuple[Any, ...]") -> int:
    """Count how deep what holds these is."""
    inner = [item.depth for item in items if isinstance(item, (_Container, _Tuple))]
    depth = 1 + max(inner, default=0)
    if depth > MOST_DEPTH:
        _refuse(f"containers more than {MOST_DEPTH} deep in one another")
    return depth


def _plain_made(name: str, items: tuple[Any, ...]) -> None:
    if name == "_codecs encode" and items[1:] != ("latin1",):
        _refuse("a text in another encoding")
    if any(isinstance(item, _Container) or (isinstance(item, _Tuple) and item.depth > 1) for item in items):
        _refuse(f"a call of {name} with containers")


def _refuse(what: str) -> NoReturn:
    raise IntegrityError(f"it holds {what}")
