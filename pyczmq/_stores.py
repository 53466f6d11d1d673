"""Stores: the Python objects in a list or hash of CZMQ's, who owns them, and the callables that go with them.

C's containers hold pointers. An object that Python puts in stands there as the address of a block that its store keeps:
a C string, so that C can read every item as one, with the text of str and bytes and a stand-in for anything else. A
pointer stands for itself. The callables run here, before C is called or after, so C is never in the middle of anything
when an exception comes out of one. A pointer that no store knows is never looked at: it comes back as ``void *``.
"""

from __future__ import annotations

import weakref
from _operator import index
from _thread import get_ident
from functools import cmp_to_key

from . import _handles, _keeper, _text
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Optional, TypeVar

    from ._types import CData, Frame

    #: Compares two items: a negative number, 0 or a positive one.
    Comparator = Callable[[Any, Any], int]
    #: Is told of an item that goes.
    Destructor = Callable[[Any], object]
    #: Returns what is to be kept for an item.
    Duplicator = Callable[[Any], Any]
    Hasher = Callable[[Any], int]
    #: A call that is to be made once C is done.
    Call = tuple[Destructor, Any]

    Result = TypeVar("Result")
    Function = TypeVar("Function", bound=Optional[Callable[..., Any]])

_CDATA = ffi.CData
_CHARS = ffi.typeof("char *")
_FRAME = ffi.typeof("zframe_t *")
_VOID = ffi.typeof("void *")
_cast = ffi.cast
_new = ffi.new
_typeof = ffi.typeof

#: What C sees of an object that is not text.
_STAND_IN = b"<Python object>"


class Item:
    """What one pointer in a container stands for, how often it is in there, and what is to be told when it goes."""

    __slots__ = ("block", "count", "free", "value")

    def __init__(self, value: Any, block: CData | None) -> None:
        self.value = value
        self.block = block
        self.count = 1
        self.free: Destructor | None = None


class Store(_keeper.Keeper):
    """What goes with one container."""

    __slots__ = ("items", "owned", "strings")

    #: What error texts call the container.
    noun = "list"

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[CData, Item] = {}
        #: Whether the items are C's own copies of strings.
        self.strings = False
        #: Whether the container goes when its handle does.
        self.owned = False

    def guard(self, function: Callable[..., Result], *args: Any) -> Result:
        """Call what looks at the items with callables of the user's, and refuse changes for as long."""
        outer = self.busy
        me = get_ident()
        # Not with a context manager, in whose methods a signal might come: this would be in use for ever.
        try:
            self.busy = me
            return function(*args)
        finally:
            self.busy = outer

    def __del__(self) -> None:
        """Tell whom it concerns that the items go: the garbage collector found the container in a cycle."""
        if self.owned:
            self.finish()

    def put(self, value: Any) -> CData:
        """Return the pointer that stands for *value* in C from now on."""
        if self.strings:
            # C copies it at once.
            copied: CData = _new("char[]", _text.cstring(value, f"item of a {self.noun} of strings"))
            return copied
        pointer: CData
        if isinstance(value, _CDATA) and _typeof(value).kind in ("pointer", "array"):
            pointer = _cast(_VOID, value)
            known = self.items.get(pointer)
            if known is None:
                self.items[pointer] = Item(value, None)
            else:
                known.count += 1
            return pointer
        block = _new("char[]", _text.encode(value) if isinstance(value, (str, bytes)) else _STAND_IN)
        pointer = _cast(_VOID, block)
        self.items[pointer] = Item(value, block)
        return pointer

    def get(self, pointer: CData) -> Any:
        """Return what a pointer in the container stands for; None for NULL."""
        item = self.items.get(pointer)
        if item is not None:
            return item.value
        if not pointer:
            return None
        return _text.decode(ffi.string(_cast(_CHARS, pointer))) if self.strings else pointer

    def drop(self, pointer: CData) -> Item | None:
        """Forget what a pointer stood for that has left the container; None for one that nobody knew."""
        item = self.items.get(pointer)
        if item is None:
            return None
        if item.count > 1:
            item.count -= 1
            left = Item(item.value, item.block)
            left.free, item.free = item.free, None
            return left
        del self.items[pointer]
        return item

    def pop(self, pointer: CData) -> Any:
        """Return what a pointer that the container handed over stood for, and free C's copy of a string."""
        item = self.drop(pointer)
        if item is not None:
            return item.value
        value = self.get(pointer)
        if self.strings and pointer:
            C.zstr_free(_new("char **", _cast(_CHARS, pointer)))
        return value

    def copied(self, pointer: CData, inside: CData) -> bool:
        """Tell whether C, which was given *pointer*, keeps a copy, *inside*, because raw calls have told it to."""
        if self.strings or inside == pointer:
            return False
        self.drop(pointer)
        self.strings = True
        return True

    def watch(self, pointer: CData, free: Destructor | None) -> None:
        """Have *free* called when the item at a pointer in the container goes."""
        item = self.items.get(pointer)
        if item is None:
            if free is None:
                return
            item = self.items[pointer] = Item(self.get(pointer), None)
        item.free = free

    def text(self, pointer: CData) -> str:
        """Return the text at a pointer in the container; TypeError for an item of Python's that is none."""
        value = self.get(pointer)
        if isinstance(value, (str, bytes)):
            return _text.decode(_text.encode(value))
        if pointer in self.items:
            raise TypeError(f"{self.noun} must hold strings only, not {type(value).__name__}")
        return _text.string(_cast(_CHARS, pointer)) or ""

    def farewell(self, item: Item) -> Iterable[Call]:
        """Return the calls that are due when an item goes."""
        return () if item.free is None else ((item.free, item.value),)

    def leave(self, pointer: CData) -> None:
        """Forget an item that C has removed, and tell whom it concerns."""
        item = self.drop(pointer)
        if item is not None:
            run(self.farewell(item))

    def clear(self) -> list[Call]:
        """Forget all items; return the calls that are due once C has let them go."""
        items = list(self.items.values())
        self.items.clear()
        return [call for item in items for call in self.farewell(item)]

    def finish(self) -> None:
        """Tell whom it concerns that the items are gone, and let go of everything."""
        run(self.clear())


def run(calls: Iterable[Call]) -> None:
    """Make all calls, and raise the first exception of theirs."""
    errors: list[BaseException] = []
    for function, argument in calls:
        try:
            function(argument)
        except BaseException as error:
            errors.append(error)
    if errors:
        for former, later in zip(errors, errors[1:]):
            former.__context__ = later
        raise errors[0]


# ---------------------------------------------------------------- handles


def own(pointer: CData, destructor: Callable[[CData], object], store: Store) -> Any:
    """Take a fresh container into the garbage collector's care, with its store; it stays usable in a forked child."""
    reference: weakref.ref[Any] = weakref.ref(store)

    def release(pointer: CData) -> None:
        _keeper.keepers.pop(pointer, None)
        found = reference()
        # At exit a daemon thread may still be at work with it.
        if found is None or not found.busy:
            destructor(pointer)
            if found is not None:
                found.finish()

    handle = _handles.own(pointer, release, keeper=store, fork_safe=True)
    if handle is None:
        raise MemoryError(f"no memory for a {store.noun}")
    store.owned = True
    _keeper.keepers[pointer] = reference
    store.handle = weakref.ref(handle)
    return handle


def destroy(handle: Any, ctype: Any, destructor: Callable[[CData], object], kind: type[Store]) -> None:
    """Free a container now, and only once, unless it is in use; None is let through."""
    if handle is None:
        return
    store = _keeper.find(handle, ctype, kind.noun, kind)

    def free(pointer: CData) -> None:
        destructor(pointer)
        store.finish()

    _keeper.destroy(handle, ctype, free, kind.noun, kind)


def change(store: Store) -> None:
    """Raise ValueError if the container is in use: it cannot be changed now."""
    if store.busy:
        raise ValueError(f"{store.noun} is in use: it cannot be changed now")


def function(given: Function, name: str) -> Function:
    """Return a callable of the user's, or None; TypeError for anything else, also for C's functions."""
    if given is not None and (not callable(given) or isinstance(given, _CDATA)):
        kind = f"a {_typeof(given).cname}" if isinstance(given, _CDATA) else type(given).__name__
        raise TypeError(f"{name} must be a Python callable, or None, not {kind}")
    return given


def duplicate(store: Store, duplicator: Duplicator | None, value: Any, name: str = "item") -> Any:
    """Return what a duplicator makes of a value, or the value if there is none."""
    if duplicator is not None:
        value = store.guard(duplicator, value)
        check(value, f"duplicate of {name}")
    return value


def check(value: Any, name: str = "item") -> None:
    """Raise TypeError for None and NULL: to C, that is no item."""
    if nothing(value):
        raise TypeError(f"{name} must not be None")


def nothing(value: Any) -> bool:
    """Tell whether a value is None or a NULL pointer."""
    return value is None or (isinstance(value, _CDATA) and _typeof(value).kind == "pointer" and not value)


# ---------------------------------------------------------------- comparing


def _both_text(one: Any, other: Any) -> bool:
    return isinstance(one, (str, bytes)) and isinstance(other, (str, bytes))


def same(one: Any, other: Any) -> bool:
    """Tell whether two items are equal, as Python sees it; str and bytes of the same text are."""
    if one is other:
        return True
    if _both_text(one, other):
        return _text.encode(one) == _text.encode(other)
    return bool(one == other)


def compare(one: Any, other: Any) -> int:
    """Compare two items: text by its bytes, as C does, anything else by Python's ``<``."""
    if _both_text(one, other):
        one, other = _text.encode(one), _text.encode(other)
    return 1 if other < one else -1 if one < other else 0


def checked(comparator: Comparator) -> Comparator:
    """Return a comparator of the user's whose results are checked."""

    def call(one: Any, other: Any) -> int:
        result = comparator(one, other)
        try:
            return index(result)
        except TypeError:
            raise TypeError(f"a comparator must return an int, not {type(result).__name__}") from None

    return call


def position(store: Store, values: Iterable[Any], wanted: Any, comparator: Comparator | None) -> int:
    """Return where a value is among others, -1 if it is not there."""
    equal = same
    if comparator is not None:
        call = checked(comparator)

        def equal(one: Any, other: Any) -> bool:
            return call(one, other) == 0

    def find() -> int:
        for place, value in enumerate(values):
            if equal(value, wanted):
                return place
        return -1

    return store.guard(find)


def order(store: Store, values: list[Any], comparator: Comparator | None) -> list[int]:
    """Return the places of values in the order in which they are to be; equal ones stay in theirs."""
    key = cmp_to_key(compare if comparator is None else checked(comparator))
    return store.guard(lambda: sorted(range(len(values)), key=lambda place: key(values[place])))


def frame(data: bytes) -> Frame:
    """Return a new frame, which belongs to the caller."""
    made: Frame = C.zframe_new(data, len(data))
    if not made:
        raise MemoryError("no memory for a frame")
    return made


def frame_data(frame: Frame) -> bytes:
    """Return what is in a frame of the user's."""
    _handles.live(frame, _FRAME, "frame")
    return bytes(ffi.buffer(C.zframe_data(frame), C.zframe_size(frame)))
