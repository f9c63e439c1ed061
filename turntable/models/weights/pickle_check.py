"""A check of the pickle of a weight file, which simulates the unpickler without creating any object.

With ``weights_only``, torch reads pickles without running code, but it trusts their sizes: a storage may
claim more bytes than there are, a tensor of terabytes may repeat one number, and containers may refer to one
another so often that hashing or printing them takes forever. This check follows every instruction first. It
refuses whatever ``torch.save`` does not write for weights, numbers, texts and plain containers.
"""

import pickletools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, NoReturn

from turntable.errors import IntegrityError, format_text

MAX_PICKLE_BYTES = 4 * 2**20
"""Largest size of the pickle, which holds names and shapes but no values: enough for 16,000 tensors."""
MAX_DEPTH = 32
"""Largest depth of nested containers."""
MAX_SHARING = 2
"""Largest ratio of the bytes of all tensors to those of all storages; above 1, since weights may be
shared."""

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
"""Bytes of one value, by the type of the storage."""
_TENSOR, _PARAMETER = "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter"
_CONTAINERS = frozenset({"collections OrderedDict", "collections Counter", "__builtin__ set"})
_PLAIN_CONSTRUCTORS = frozenset({"torch Size", "torch device", "__builtin__ complex", "_codecs encode"})
_NAMESPACE = "argparse Namespace"
"""Type of the command line options that published code saves beside its weights."""
_DTYPE = re.compile(r"torch (u?int\d+|float\d+\w*|bfloat16|bool|complex\d+)")

_CONSTANT_OPCODES = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_LITERAL_OPCODES = frozenset(
    {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "BINSTRING", "SHORT_BINSTRING"}
)
_TUPLE_OPCODES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True, slots=True)
class _Global:
    """A class or function, by its module and name."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class _Tuple:
    """A tuple of values or of their descriptions."""

    items: tuple[Any, ...]
    depth: int


@dataclass(slots=True, eq=False)
class _Container:
    """A list, a dictionary, or an object with attributes."""

    kind: str = ""
    """Name of its class; empty for a list or a dictionary."""
    depth: int = 1
    texts: set[str] = field(default_factory=set)
    """All texts among its keys and values."""


@dataclass(frozen=True, slots=True, eq=False)
class _Storage:
    """The memory of one or more tensors."""

    num_bytes: int
    item_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class _Tensor:
    """A tensor, whose shape has been checked."""


def check_pickle(data: bytes, storages: Mapping[str, int]) -> None:
    """Check that a pickle holds only weights and plain values, no larger than the stored data.

    Args:
        data: Pickle, as ``torch.save`` writes it.
        storages: Number of bytes of each storage, by key.

    Raises:
        IntegrityError: It holds anything else.
    """
    if len(data) > MAX_PICKLE_BYTES:
        _refuse(f"{len(data):,} bytes of names; at most {MAX_PICKLE_BYTES:,} are allowed")
    unpickler = _SimulatedUnpickler(storages)
    try:
        for opcode, argument, _ in pickletools.genops(data):
            unpickler.apply_opcode(opcode.name, argument)
    except (AttributeError, ValueError, IndexError, KeyError, TypeError) as error:
        raise IntegrityError(f"its pickle is broken ({format_text(str(error))})") from error


@dataclass(slots=True)
class _SimulatedUnpickler:
    """The state of an unpickler, with descriptions in place of objects."""

    storages: Mapping[str, int]
    """Number of bytes of each storage, by key."""
    stack: list[Any] = field(default_factory=list)
    """Part of the stack above the last mark."""
    stacks_below: list[list[Any]] = field(default_factory=list)
    """Parts of the stack below the marks."""
    memo: dict[int, Any] = field(default_factory=dict)
    tensor_bytes: int = 0
    """Number of bytes of all tensors so far, according to their shapes."""

    def apply_opcode(self, name: str, argument: Any) -> None:
        """Simulate one instruction."""
        if name in _LITERAL_OPCODES:
            self.stack.append(argument)
        elif name in _CONSTANT_OPCODES:
            self.stack.append(_CONSTANT_OPCODES[name])
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            self.stack.append(_check_reusable(self.memo[argument]))
        elif name == "MARK":
            self.stacks_below.append(self.stack)
            self.stack = []
        elif name == "GLOBAL":
            self.stack.append(_resolve_global(argument))
        elif name == "TUPLE" or name in _TUPLE_OPCODES:
            items = self._pop_to_mark() if name == "TUPLE" else self._pop_last(_TUPLE_OPCODES[name])
            self.stack.append(_Tuple(tuple(items), _compute_depth(items)))
        elif name in ("EMPTY_DICT", "EMPTY_LIST", "EMPTY_SET"):
            self.stack.append(_Container())
        elif name in ("APPEND", "SETITEM"):
            self._fill_container(self._pop_last(2 if name == "SETITEM" else 1))
        elif name == "BUILD":
            self._set_state(*self._pop_last(1))
        elif name in ("APPENDS", "SETITEMS"):
            self._fill_container(self._pop_to_mark())
        elif name in ("REDUCE", "NEWOBJ"):
            function, arguments = self._pop_last(2)
            self.stack.append(self._describe_call(function, arguments))
        elif name == "BINPERSID":
            self.stack.append(self._describe_storage(*self.stack.pop().items))
        elif name not in ("PROTO", "STOP"):
            _refuse(f"an instruction {name}")

    def _pop_last(self, num_items: int) -> list[Any]:
        if len(self.stack) < num_items:
            raise IndexError("its stack is empty")
        items = self.stack[-num_items:]
        del self.stack[-num_items:]
        return items

    def _pop_to_mark(self) -> list[Any]:
        """Remove the last mark, and return the items above it."""
        items, self.stack = self.stack, self.stacks_below.pop()
        return items

    def _fill_container(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, _Container):
            _refuse("values added to something that is no container")
        target.depth = max(target.depth, _compute_depth(items))
        target.texts.update(item for item in items if isinstance(item, str))

    def _set_state(self, state: Any) -> None:
        """Simulate the setting of attributes.

        A dictionary may only get the attribute ``_metadata``, as torch's do: others could replace its
        methods.
        """
        if self.stack[-1].kind != _NAMESPACE and not state.texts <= {"_metadata"}:
            _refuse("a dictionary with attributes")
        self._fill_container([state])

    def _describe_call(self, function: _Global, arguments: Any) -> Any:
        """Return the description of the object that a call creates."""
        name = function.name
        items: tuple[Any, ...] = () if arguments == () else arguments.items
        if name == _TENSOR:
            return self._describe_tensor(*items[:4])
        if name == _PARAMETER and isinstance(items[0], _Tensor):
            return items[0]
        if name in _PLAIN_CONSTRUCTORS:
            return _check_plain_call(name, items)
        if name not in _CONTAINERS and name != _NAMESPACE:
            _refuse(f"a call of {name}")
        return _Container(name, _compute_depth(items))

    def _describe_storage(
        self, kind: Any, storage_type: _Global, key: str, location: Any, num_items: Any
    ) -> _Storage:
        if kind != "storage" or not isinstance(location, str) or type(num_items) is not int:
            _refuse("a storage without a size")
        item_bytes, num_bytes = _ITEM_BYTES[storage_type.name], self.storages[key]
        if not 0 <= num_items * item_bytes <= num_bytes:
            _refuse(f"a storage {format_text(key, 20)} of {num_items:,} numbers in {num_bytes:,} bytes")
        return _Storage(num_items * item_bytes, item_bytes)

    def _describe_tensor(self, storage: _Storage, offset: Any, size: Any, stride: Any) -> _Tensor:
        """Check the shape of a tensor, and count its bytes.

        With strides of 0, a tensor of any size may repeat the few values of a small storage.
        """
        sides, steps = _parse_shape(size), _parse_shape(stride)
        _parse_shape(_Tuple((offset,), 1))
        last = offset + sum((side - 1) * step for side, step in zip(sides, steps, strict=True))
        num_bytes = prod(sides) * storage.item_bytes
        self.tensor_bytes += num_bytes
        if num_bytes > storage.num_bytes or self.tensor_bytes > MAX_SHARING * sum(self.storages.values()):
            shape = format_text(str(list(sides[:8])), 60)
            _refuse(f"a tensor of shape {shape} over {storage.num_bytes:,} bytes, which repeats them")
        if num_bytes and last * storage.item_bytes >= storage.num_bytes:
            _refuse("a tensor that ends after its storage")
        return _Tensor()


def _parse_shape(value: Any) -> tuple[int, ...]:
    """Return a shape as a tuple of non-negative integers, after a check that it is one."""
    items: tuple[Any, ...] = () if value == () else value.items
    if any(type(item) is not int or item < 0 for item in items):
        _refuse("a tensor without a shape")
    return items


def _check_reusable(value: Any) -> Any:
    """Return a value from the memo, after a check that it is no container.

    Containers used in several places could multiply: a list of 10 references to a list of 10 references, and
    so on.
    """
    if isinstance(value, _Container) or (isinstance(value, _Tuple) and value.depth > 1):
        _refuse("one container in several places")
    return value


def _resolve_global(name: str) -> _Global:
    """Return the description of a class or function, after a check that it is an allowed one."""
    known = name in _ITEM_BYTES or name in (_TENSOR, _PARAMETER, _NAMESPACE)
    if not (known or name in _CONTAINERS or name in _PLAIN_CONSTRUCTORS or _DTYPE.fullmatch(name)):
        _refuse(f"{format_text(name.replace(' ', '.'), 80)}, which is neither a weight nor a plain value")
    return _Global(name)


def _compute_depth(items: "list[Any] | tuple[Any, ...]") -> int:
    """Return the depth of a container with these items, after a check that it is allowed."""
    inner = [item.depth for item in items if isinstance(item, (_Container, _Tuple))]
    depth = 1 + max(inner, default=0)
    if depth > MAX_DEPTH:
        _refuse(f"containers nested more than {MAX_DEPTH} deep")
    return depth


def _check_plain_call(name: str, items: tuple[Any, ...]) -> None:
    """Check the arguments of a call that creates a plain value."""
    if name == "_codecs encode" and items[1:] != ("latin1",):
        _refuse("a text in another encoding")
    if any(isinstance(item, _Container) or (isinstance(item, _Tuple) and item.depth > 1) for item in items):
        _refuse(f"a call of {name} with containers")


def _refuse(content: str) -> NoReturn:
    raise IntegrityError(f"it holds {content}")
