"""Arguments for calls that nobody should make: right ones, to get deep, and hostile ones, chosen by a seeded generator.

A pool belongs to one process. What it makes it keeps, and gives again: handles and objects that are alive, that were
destroyed, handed over or sent, and what earlier calls have returned.
"""

from __future__ import annotations

import inspect
import random
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

from hostile_targets import Parameter, classes, namespaces

import pyczmq
from pyczmq import C, ffi, zactor, zctx, zframe, zmq, zmsg, zsock, zsocket, zstr
from pyczmq import types as objects

#: A value, and what it is called in a report.
Labelled = tuple[str, Any]

#: Milliseconds for which the sockets of a pool wait, where no alarm can end that.
PATIENCE = 20

#: Results of earlier calls that are kept.
_RESULTS = 40

KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
_MEBI = 1 << 20


class Hostile(Exception):
    """What hostile callables and objects raise."""


# ---------------------------------------------------------------- objects that misbehave


class Raiser:
    """Raises whatever it is asked for."""

    def _raise(self, *args: Any, **kwargs: Any) -> Any:
        raise Hostile("as it was asked to")

    __str__ = __len__ = __index__ = __int__ = __float__ = __iter__ = __next__ = __fspath__ = __bytes__ = _raise
    __getitem__ = __bool__ = __eq__ = __lt__ = __buffer__ = __call__ = __contains__ = __enter__ = __exit__ = _raise
    __hash__ = object.__hash__
    fileno = keys = items = read = write = _raise


class Liar:
    """Answers, but never with what was asked for."""

    def __str__(self) -> Any:
        return 17

    def __len__(self) -> int:
        return -1

    def __index__(self) -> Any:
        return "1"

    def __iter__(self) -> Any:
        return 5

    def __fspath__(self) -> Any:
        return 5

    def __bytes__(self) -> Any:
        return "bytes"

    def __eq__(self, other: object) -> Any:
        return self

    def __hash__(self) -> int:
        return 1

    def fileno(self) -> Any:
        return "descriptor"

    def read(self, *args: Any) -> Any:
        return [1]

    def write(self, *args: Any) -> Any:
        return -5

    def keys(self) -> Any:
        return [object()]

    def __getitem__(self, key: Any) -> Any:
        return self


class Text(str):
    """A str of another class."""


class Bytes(bytes):
    """Bytes of another class."""


class Number(int):
    """An int of another class."""


def _raise(*args: Any, **kwargs: Any) -> Any:
    raise Hostile("out of a callable")


def _raise_exit(*args: Any, **kwargs: Any) -> Any:
    raise SystemExit(0)


def _nothing(*args: Any, **kwargs: Any) -> None:
    pass


def _minus_one(*args: Any, **kwargs: Any) -> int:
    return -1


def _endless() -> Iterator[bytes]:
    for _ in range(100_000):
        yield b"x"


# ---------------------------------------------------------------- values that are the same in every pool

NUMBERS: list[Labelled] = [
    (repr(number), number)
    for number in (
        *(0, 1, 2, -1, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**32, 2**40, 2**53),
        *(2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**30, True, False, 0.5, -1.5, 1e308),
    )
]
NUMBERS += [("nan", float("nan")), ("inf", float("inf")), ("-inf", float("-inf")), ("Number(7)", Number(7))]

SMALL: list[Labelled] = [(repr(number), number) for number in (0, 1, 2, 3, 5, 10, 20)]

TEXTS: list[Labelled] = [
    (repr(text), text)
    for text in (
        *(
            "",
            "a",
            "foo",
            "key",
            "a/b",
            "%s%n%s%d",
            "%99999999d",
            "%*c",
            "a\0b",
            "\0",
            "\ud800",
            "a\udcffb",
            "\U0010ffff",
        ),
        *("é", " ", "\n", "-1", "0", "17", "99999999999999999999", "$TERM", "VERBOSE", "PLAIN", "PAUSE", "CONFIGURE"),
        *("FRONTEND", "STATUS", "*", "127.0.0.1", "1.2.3.4", "a=b", "#", "(", "[a-", "\\", "root/a = b", KEY, KEY[:-1]),
        *(b"", b"a", b"foo", b"\xff\xfe", b"a\0b", b"\0\0\0\0", b"%s%n", b"\x00\x01", b"\xc3\x28", KEY.encode()),
    )
]
TEXTS += [
    ("1 MiB of str", "x" * _MEBI),
    ("1 MiB of bytes", b"x" * _MEBI),
    ("1 MiB of surrogates", "\udc80" * (_MEBI // 16)),
    ("1 MiB of %s", "%s" * (_MEBI // 2)),
    ("1 MiB of (", "(" * _MEBI),
    ("Text('sub')", Text("sub")),
    ("Bytes(b'sub')", Bytes(b"sub")),
]

PLAIN: list[Labelled] = [(repr(text), text) for text in ("a", "foo", "key", "value", "x/y", b"bytes", "name", "é")]

ENDPOINTS: list[Labelled] = [
    (repr(text), text)
    for text in (
        *("inproc://a", "inproc://b", "inproc://c", "@inproc://d", ">inproc://a", "@inproc://e,>inproc://b"),
        *(
            "tcp://127.0.0.1:*",
            "tcp://127.0.0.1:!",
            "tcp://127.0.0.1:54321",
            "@tcp://127.0.0.1:*",
            ">tcp://127.0.0.1:54321",
        ),
        *(
            "ipc://socket",
            "@ipc://socket",
            "ipc://*",
            "ipc://@abstract",
            "udp://127.0.0.1:5555",
            "udp://239.0.0.1:7777",
        ),
        *(
            "tcp://127.0.0.1:99999",
            "tcp://127.0.0.1:-1",
            "tcp://*:0",
            "tcp://[::1]:*",
            "tcp://lo:*",
            "inproc://",
            "tcp://",
        ),
        *(
            "pgm://lo;239.192.1.1:5555",
            "epgm://x",
            "norm://127.0.0.1:5556",
            "tipc://{1,2,3}",
            "vmci://1:1",
            "ws://127.0.0.1:*",
        ),
        *(
            "nothing",
            "://",
            "a" * 300,
            "ipc://" + "y" * 300,
            "inproc://" + "z" * 300,
            "tcp://127.0.0.1;127.0.0.1:54322",
        ),
        *(
            "@",
            ">",
            ",",
            "@,>",
            ">>inproc://a",
            "inproc://a\0b",
            "inproc://\udcff",
            "tcp://%s%n:1",
            "gssapi://",
            "tcp://:1:2:3",
        ),
    )
]

PICTURES: list[Labelled] = [
    (repr(text), text)
    for text in (
        *(
            "s",
            "i",
            "si",
            "ss",
            "1248",
            "sib",
            "b",
            "c",
            "f",
            "m",
            "p",
            "h",
            "U",
            "z",
            "zz",
            "sssss",
            "S",
            "u",
            "n",
            "%s",
            "q",
            "",
            "sf",
        ),
        *("i" * 1000, "\0", "m" * 300, "fm", "d", "bi", "8", b"si"),
    )
]

PATHS: list[Labelled] = [
    (repr(text), text)
    for text in (
        *(
            "file",
            "tree",
            "tree/one",
            "missing",
            "missing/x",
            "new",
            "certs",
            "cert",
            "passwords",
            "config",
            "fifo",
            "",
            ".",
            "a\0b",
        ),
        *(
            "file/x",
            "n" * 300,
            "\udcff",
            "\ud800",
            b"file",
            b"\xff",
            "%s%n",
            " ",
            "tree/",
            "loop",
            "empty",
            "message",
            "binary",
        ),
    )
]

SEQUENCES: list[Labelled] = [
    ("[]", []),
    ("()", ()),
    ("['a', 'b']", ["a", "b"]),
    ("[b'a', 'b', b'']", [b"a", "b", b""]),
    ("[None]", [None]),
    ("[1, 'a']", [1, "a"]),
    ("{}", {}),
    ("{'a': 'b'}", {"a": "b"}),
    ("{1: 2}", {1: 2}),
    ("{'a': None}", {"a": None}),
    ("{'\\0': '\\ud800'}", {"\0": "\ud800"}),
    ("set()", set()),
    ("range(3)", range(3)),
    ("100 000 items", [b"x"] * 100_000),
    ("1 000 items", ["x"] * 1000),
]

BUFFERS: list[Labelled] = [
    ("bytearray(b'abc')", bytearray(b"abc")),
    ("memoryview(b'abcdef')", memoryview(b"abcdef")),
    ("memoryview(b'abcdef')[::2]", memoryview(b"abcdef")[::2]),
    ("memoryview of doubles", memoryview(bytearray(32)).cast("d")),
    ("empty memoryview", memoryview(b"")),
    ("bytes(32)", bytes(32)),
    ("bytes(300)", bytes(300)),
    ("1 MiB of bytearray", bytearray(_MEBI)),
]

ODD: list[Labelled] = [
    ("None", None),
    ("Ellipsis", ...),
    ("object()", object()),
    ("type", type),
    ("int", int),
    ("sys", sys),
    ("1j", 1j),
    ("slice", slice(1, None, -1)),
    ("Raiser()", Raiser()),
    ("Liar()", Liar()),
    ("Raiser", Raiser),
    ("NotImplemented", NotImplemented),
    ("Hostile()", Hostile()),
    ("ffi.NULL", ffi.NULL),
    ("ffi.new('int *')", ffi.new("int *")),
    ("ffi.new('char[]', b'text')", ffi.new("char[]", b"text")),
    (
        "void * of 4096 bytes",
        ffi.gc(ffi.cast("void *", _MEMORY := ffi.new("char[]", 4096)), lambda pointer, _=_MEMORY: None),
    ),
    ("a struct", ffi.new("zmq_pollitem_t *")),
    ("zmq_msg_t not initialized", ffi.new("zmq_msg_t *")),
    ("a cdata int", ffi.cast("int", 5)),
    ("C", C),
    ("C.zproxy", C.zproxy),
    ("C.zauth", C.zauth),
    ("C.zclock_time", C.zclock_time),
]

CALLABLES: list[Labelled] = [
    ("raises", _raise),
    ("does nothing", _nothing),
    ("returns -1", _minus_one),
    ("exits", _raise_exit),
    ("len", len),
    ("str", str),
    ("None", None),
    ("'no callable'", "no callable"),
]

#: Names of parameters -> what fits them.
_BY_NAME: list[tuple[str, list[Labelled]]] = [
    (r"endpoints?|address|bind|connect|interface|frontend|backend|capture", ENDPOINTS),
    (r"picture|format|spec", PICTURES),
    (r"path|filename|location|file|folder|passwords|name_of_file|parent|directory|dirname", PATHS),
    (r"type|kind", [(str(number), number) for number in range(13)] + [("'PULL'", "PULL"), ("'nonsense'", "nonsense")]),
    (r".*key.*|.*_txt|password|username", [(repr(KEY), KEY), ("bytes(32)", bytes(32)), *PLAIN]),
    (r"option|.*option_name", [(str(number), number) for number in range(1, 115)]),
]

_NUMERIC = {"int", "float", "bool", "SupportsIndex"}
_TEXTUAL = {"str", "Text", "Type", "Value"}
_CALLS = re.compile(r"Callable|Handler|Destructor|Duplicator|Comparator|Hasher|Task")


# ---------------------------------------------------------------- pools


class Pool:
    """The values of one process."""

    def __init__(self, generator: random.Random, patient: bool, networked: bool) -> None:
        self.random = generator
        #: Whether waits end by themselves, since no alarm can end them.
        self.patient = patient
        self.networked = networked
        #: Class, or C type, -> what is alive, as far as the pool knows.
        self.alive: dict[str, list[Labelled]] = {}
        self.spent: dict[str, list[Labelled]] = {}
        self.results: list[Labelled] = []
        #: The arguments of the call that is being made, for those who attack it from within.
        self.current: list[Any] = []
        self.contexts: list[Any] = []
        self.makers: dict[str, Callable[[], Any]] = {**self._handle_makers(), **self._object_makers()}
        self.changers = [
            ("re-enters by __index__", self._changer("__index__", 1)),
            ("re-enters by __fspath__", self._changer("__fspath__", "file")),
            ("re-enters by __iter__", self._changer("__iter__", iter([b"a", "b"]))),
            ("re-enters by __len__", self._changer("__len__", 2)),
            ("re-enters by __str__", self._changer("__str__", "text")),
            ("re-enters by __eq__", self._changer("__eq__", True)),
            ("re-enters by __bool__", self._changer("__bool__", True)),
            ("re-enters by fileno", self._changer("fileno", 0)),
            ("re-enters by read", self._changer("read", b"abc")),
            ("re-enters by write", self._changer("write", 1)),
        ]
        self.callables = [*CALLABLES, ("destroys what calls it", self.destroy_current)]

    # ---------------- attacks from within

    def destroy_current(self, *args: Any, **kwargs: Any) -> int:
        """Destroy the arguments of the call that is being made, and those of this callback."""
        for value in (*self.current, *args):
            self.end(value)
        return 0

    def _changer(self, method: str, answer: Any) -> object:
        def attack(instance: object, *args: Any) -> Any:
            self.destroy_current()
            return answer

        return type("Changer", (), {method: attack, "__hash__": object.__hash__})()

    def end(self, value: Any) -> None:
        """Destroy or close a value, if it is anything to be destroyed; what may be refused is."""
        try:
            if isinstance(value, ffi.CData):
                name = ffi.typeof(value).cname
                if name == "void *":
                    zsocket.destroy(self.contexts[0], value)
                elif name.endswith("_t *") and name.startswith("z"):
                    module = sys.modules.get(f"pyczmq.{name[:-4]}")
                    if module is not None:
                        module.destroy(value)
            elif hasattr(type(value), "close") and type(value).__module__.startswith("pyczmq"):
                value.close()
        except (TypeError, ValueError, OSError, RuntimeError, AttributeError, BufferError):
            pass

    # ---------------- makers

    def context(self) -> Any:
        """Return a zctx that is alive."""
        context = self.random.choice(self.contexts) if self.contexts and self.random.random() < 0.9 else zctx.new()
        try:
            zctx.underlying(context)
        except ValueError:
            context = zctx.new()
        if context not in self.contexts:
            self.contexts.append(context)
        return context

    def _endpoint(self) -> str:
        return self.random.choice(["inproc://a", "inproc://b", "inproc://c", "tcp://127.0.0.1:*", "ipc://socket"])

    def _zsocket(self) -> Any:
        handle = zsocket.new(self.context(), self.random.randrange(12))
        if self.patient:
            zsocket.set_rcvtimeo(handle, PATIENCE)
            zsocket.set_sndtimeo(handle, PATIENCE)
        for function in zsocket.bind, zsocket.connect:
            if self.random.random() < 0.6:
                try:
                    function(handle, self._endpoint())
                except ValueError:
                    pass
        return handle

    def _zsock(self) -> Any:
        handle = zsock.new(self.random.randrange(12))
        if self.patient:
            zsock.set_rcvtimeo(handle, PATIENCE)
            zsock.set_sndtimeo(handle, PATIENCE)
        for function in zsock.bind, zsock.connect:
            if self.random.random() < 0.6:
                try:
                    function(handle, self._endpoint())
                except ValueError:
                    pass
        return handle

    def _fed(self) -> Any:
        """Return a zsocket with messages to receive."""
        context = self.context()
        pair = zsocket.new(context, zmq.PAIR), zsocket.new(context, zmq.PAIR)
        name = f"inproc://fed-{self.random.randrange(10**9)}"
        zsocket.bind(pair[0], name)
        zsocket.connect(pair[1], name)
        for _ in range(3):
            zstr.sendx(pair[0], "a", "b")
        zstr.send(pair[0], "c")
        self.alive.setdefault("void *", []).append(("feeder", pair[0]))
        if self.patient:
            zsocket.set_rcvtimeo(pair[1], PATIENCE)
        return pair[1]

    def _orphan(self) -> Any:
        """Return the socket of a context that was terminated."""
        context = zctx.new()
        handle = zsocket.new(context, zmq.PAIR)
        zctx.destroy(context)
        return handle

    def _task_actor(self) -> Any:
        def echo(pipe: Any) -> None:
            zsocket.signal(pipe, 0)
            while True:
                words = zstr.recvx(pipe)
                if not words or words[0] == "$TERM":
                    break
                zstr.sendx(pipe, *words)

        return self._patiently(zactor.new(echo))

    def _patiently(self, actor: Any) -> Any:
        if self.patient:
            zsock.set_rcvtimeo(actor, PATIENCE)
            zsock.set_sndtimeo(actor, PATIENCE)
        return actor

    def _actor(self) -> Any:
        choice = self.random.choice(["task", "proxy", "gossip", "beacon", "monitor", "auth", "watch"])
        if choice == "task" or (choice == "beacon" and not self.networked):
            return self._task_actor()
        return self._own_actor(choice)

    def _own_actor(self, choice: str) -> Any:
        """Return one of C's own actors."""
        if choice == "monitor":
            return self._patiently(zactor.new(C.zmonitor, self.give("zsock_t *")[1]))
        if choice == "auth":
            try:
                return self._patiently(zactor.new(C.zauth))
            except RuntimeError:
                return self._task_actor()
        function = {"proxy": C.zproxy, "gossip": C.zgossip, "beacon": C.zbeacon, "watch": C.zdir_watch}[choice]
        return self._patiently(zactor.new(function))

    def _handle_makers(self) -> dict[str, Callable[[], Any]]:
        makers: dict[str, Callable[[], Any]] = {
            f"{module.__name__.rpartition('.')[2]}_t *": module.new
            for module in namespaces()
            if not list(_required(getattr(module, "new", None)))
        }
        makers.update(
            {
                "void *": lambda: self.random.choice([self._zsocket, self._zsocket, self._zsocket, self._fed])(),
                "zsock_t *": self._zsock,
                "zactor_t *": self._actor,
                "zauth_t *": lambda: pyczmq.zauth.new(self.context()),
                "zargs_t *": lambda: pyczmq.zargs.new(["program", "--flag", "one"]),
                "zcertstore_t *": lambda: pyczmq.zcertstore.new("certs"),
                "zchunk_t *": lambda: pyczmq.zchunk.new(b"some data"),
                "zconfig_t *": self._config,
                "zctx_t *": self.context,
                "zdir_t *": lambda: pyczmq.zdir.new("tree"),
                "zdir_patch_t *": lambda: pyczmq.zdir_patch.new("tree", self.give("zfile_t *")[1], 1),
                "zfile_t *": lambda: pyczmq.zfile.new("tree", "one"),
                "zframe_t *": lambda: zframe.new(self.random.choice([b"", b"data", b"x" * 5000, b"1234"])),
                "zhash_t *": self._hash,
                "zmsg_t *": self._message,
                "zosc_t *": lambda: pyczmq.zosc.new("/address"),
                "zpoller_t *": lambda: pyczmq.zpoller.new(self.give("zsock_t *")[1]),
                "zrex_t *": lambda: pyczmq.zrex.new("(a+)b"),
                "zhttp_server_t *": lambda: pyczmq.zhttp_server.new(pyczmq.zhttp_server_options.new()),
                "zlist_t *": self._list,
                "zmq_msg_t *": self._zmq_msg,
            }
        )
        if self.networked:
            makers["zbeacon_t *"] = lambda: pyczmq.zbeacon.new(self.context(), 9999)
        else:
            makers.pop("zbeacon_t *", None)
        return makers

    def _config(self) -> Any:
        root = pyczmq.zconfig.new("root")
        pyczmq.zconfig.put(root, "a/b", "c")
        return root

    def _hash(self) -> Any:
        table = pyczmq.zhash.new()
        pyczmq.zhash.insert(table, "key", "value")
        return table

    def _list(self) -> Any:
        items = pyczmq.zlist.new()
        pyczmq.zlist.append(items, "value")
        return items

    def _message(self) -> Any:
        message = zmsg.new()
        for _ in range(self.random.randrange(3)):
            zmsg.addstr(message, "frame")
        return message

    def _zmq_msg(self) -> Any:
        message = zmq.Msg() if hasattr(zmq, "Msg") else ffi.new("zmq_msg_t *")
        zmq.msg_init(message)
        return message

    def _object_makers(self) -> dict[str, Callable[[], Any]]:
        aio = pyczmq.aio
        makers: dict[str, Callable[[], Any]] = {
            "types.Context": objects.Context,
            "types.Socket": lambda: self._socket(objects.Socket),
            "types.SocketType": lambda: self.random.choice(list(objects.SocketType)),
            "types.Frame": lambda: objects.Frame(b"data"),
            "types.Message": lambda: objects.Message(["one", b"two"]),
            "types.Poller": lambda: objects.Poller(self.give("types.Socket")[1]),
            "types.Loop": objects.Loop,
            "types.Actor": lambda: objects.Actor(_echo_object),
            "types.Cert": objects.Cert,
            "types.CertStore": lambda: objects.CertStore("certs"),
            "types.Config": lambda: objects.Config("root"),
            "types.Gossip": objects.Gossip,
            "types.Auth": objects.Auth,
            "types.Monitor": lambda: objects.Monitor(self.give("types.Socket")[1]),
            "types.Proxy": lambda: objects.Proxy(("PULL", "tcp://127.0.0.1:*"), ("PUSH", "tcp://127.0.0.1:*")),
            "types.ZMQError": lambda: objects.ZMQError(11),
            "types.Again": lambda: objects.Again(11),
            "types.ContextTerminated": lambda: objects.ContextTerminated(156384765),
            "types.Pipe": lambda: objects.Pipe(zsock.new_pair("inproc://pipe"), "name"),
            "aio.Socket": lambda: self._socket(aio.Socket),
            "aio.Poller": lambda: aio.Poller(self.give("aio.Socket")[1]),
            "aio.Actor": lambda: aio.Actor(_echo_coroutine),
            "aio.Gossip": aio.Gossip,
            "aio.Monitor": lambda: aio.Monitor(self.give("aio.Socket")[1]),
            "aio.Pipe": lambda: aio.Pipe(zsock.new_pair("inproc://pipe"), "name"),
        }
        if self.networked:
            makers["types.Beacon"] = lambda: objects.Beacon(9999)
            makers["aio.Beacon"] = lambda: aio.Beacon(9999)
        return makers

    def _socket(self, cls: Any) -> Any:
        socket = cls(self.random.randrange(12))
        if self.patient:
            socket.rcvtimeo = socket.sndtimeo = PATIENCE
        for function in socket.bind, socket.connect:
            if self.random.random() < 0.6:
                try:
                    function(self._endpoint())
                except (ValueError, OSError):
                    pass
        return socket

    # ---------------- choosing

    def give(self, kind: str) -> Labelled:
        """Return a handle or object of this kind that is alive, as far as the pool knows; None where none can be."""
        known = self.alive.setdefault(kind, [])
        if known and self.random.random() < 0.6:
            return self.random.choice(known[-6:])
        try:
            value = self.makers[kind]()
        except (
            KeyError,
            AttributeError,
            OSError,
            RuntimeError,
            NotImplementedError,
            MemoryError,
            ValueError,
            TypeError,
        ):
            # Drafts that the library lacks, a second authenticator, a port in use.
            return self.random.choice(known) if known else (f"no {kind}", None)
        made: Labelled = (f"{kind} #{len(known)}", value)
        known.append(made)
        return made

    def give_spent(self, kind: str) -> Labelled:
        """Return a handle or object of this kind that was destroyed, handed over or closed."""
        if kind == "void *" and self.random.random() < 0.3:
            return ("socket of a terminated context", self._orphan())
        label, value = self.give(kind)
        how = "destroyed"
        if kind == "zframe_t *" and value is not None and self.random.random() < 0.6:
            message = self.give("zmsg_t *")[1]
            how = "in a message"
            try:
                zmsg.append(message, value)
                if self.random.random() < 0.5:
                    how = "in a destroyed message"
                    zmsg.destroy(message)
            except ValueError:
                pass
        elif kind == "zmsg_t *" and value is not None and self.random.random() < 0.5:
            how = "sent"
            pair = self.context()
            push, pull = zsocket.new(pair, zmq.PAIR), zsocket.new(pair, zmq.PAIR)
            try:
                zsocket.bind(push, "inproc://spent")
                zsocket.connect(pull, "inproc://spent")
                zmsg.send(value, push)
            except ValueError:
                pass
            zsocket.destroy(pair, push)
            zsocket.destroy(pair, pull)
        else:
            self.end(value)
        return (f"{label} ({how})", value)

    def any_kind(self) -> str:
        """Return some kind of handles or objects."""
        return self.random.choice(sorted(self.makers))

    def hostile(self, parameter: Parameter) -> Labelled:
        """Return something that nobody should give."""
        throw = self.random.random()
        if throw < 0.2:
            return self.random.choice(NUMBERS)
        if throw < 0.38:
            return self.random.choice(TEXTS)
        if throw < 0.5:
            return self.random.choice([*ODD, *SEQUENCES, *BUFFERS])
        if throw < 0.58:
            return self.random.choice([*self.changers, *self.callables])
        if throw < 0.7:
            fitting = self.kinds(parameter)
            kind = self.random.choice(fitting) if fitting and self.random.random() < 0.7 else self.any_kind()
            return self.give_spent(kind)
        if throw < 0.75:
            kind = self.random.choice([kind for kind in sorted(self.makers) if kind.endswith(" *")])
            return (f"NULL as {kind}", ffi.cast(kind, 0))
        if throw < 0.8:
            label, value = self.give(self.random.choice([kind for kind in sorted(self.makers) if kind.endswith(" *")]))
            return (f"void * of {label}", ffi.cast("void *", value) if isinstance(value, ffi.CData) else value)
        if throw < 0.84:
            context = self.context()
            return ("a libzmq context", zctx.underlying(context))
        if throw < 0.9 and self.results:
            return self.random.choice(self.results)
        return self.give(self.any_kind())

    def right(self, parameter: Parameter) -> Labelled:
        """Return something that fits a parameter, as far as its name and its type tell."""
        annotation, name = parameter.annotation, parameter.name
        tokens = set(re.findall(r"\w+", annotation))
        if _CALLS.search(annotation):
            return self.random.choice(self.callables)
        kinds = self.kinds(parameter)
        if kinds and self.random.random() < 0.93:
            return self.give(self.random.choice(kinds))
        if "Mapping" in tokens or tokens & {"Iterable", "Sequence"}:
            return self.random.choice(SEQUENCES)
        for pattern, values in _BY_NAME:
            if re.fullmatch(pattern, name):
                return self.random.choice(values)
        if tokens & {"Filename", "Path", "PathLike"}:
            return self.random.choice(PATHS)
        if tokens & _NUMERIC and not (tokens & _TEXTUAL and self.random.random() < 0.5):
            return self.random.choice(SMALL)
        if tokens & {"Text", "str"}:
            return self.random.choice(PLAIN)
        if tokens & {"Buffer", "bytes", "Part", "Key"}:
            return self.random.choice([*BUFFERS[:2], *PLAIN])
        if self.results and self.random.random() < 0.3:
            return self.random.choice(self.results)
        if self.random.random() < 0.5:
            return self.random.choice([*PLAIN, *SMALL, *BUFFERS])
        return self.give(self.any_kind())

    def kinds(self, parameter: Parameter) -> list[str]:
        """Return the kinds of handles and objects that a parameter's type names."""
        found: list[str] = []
        if parameter.annotation in self.makers:
            return [parameter.annotation]
        for token in re.findall(r"\w+", parameter.annotation):
            found += _KINDS.get(token, [])
        return [kind for kind in found if kind in self.makers]

    def arguments(
        self, parameters: tuple[Parameter, ...], of_object: bool
    ) -> tuple[list[Labelled], dict[str, Labelled]]:
        """Return arguments for one call."""
        style = self.random.random()
        odd = self.random.randrange(len(parameters)) if parameters else 0
        given: list[Labelled] = []
        named: dict[str, Labelled] = {}
        for number, parameter in enumerate(parameters):
            if parameter.optional and self.random.random() < 0.4:
                continue
            hostile = (
                style > 0.93
                or (0.42 < style <= 0.8 and number == odd)
                or (0.8 < style <= 0.93 and self.random.random() < 0.5)
            )
            if number == 0 and of_object:
                # Anything else would not get beyond Python's look at an attribute.
                value = self.give(parameter.annotation)
                if hostile:
                    value = self.give_spent(parameter.annotation)
                given.append(value)
                continue
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                for _ in range(self.random.choice([0, 1, 1, 2, 3])):
                    given.append(self.hostile(parameter) if hostile else self.right(parameter))
            elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
                if self.random.random() < 0.3:
                    key = self.random.choice(["linger", "sndhwm", "identity", "unknown", "subscribe", "a"])
                    named[key] = self.hostile(parameter)
            else:
                value = self.hostile(parameter) if hostile else self.right(parameter)
                if parameter.kind is inspect.Parameter.KEYWORD_ONLY or len(given) < number:
                    named[parameter.name] = value
                else:
                    given.append(value)
        wrong = self.random.random()
        first = 1 if of_object else 0
        if wrong < 0.02 and len(given) > first:
            given.pop()
        elif wrong < 0.04:
            given.append(self.random.choice(ODD))
        elif wrong < 0.05:
            named["no_such_keyword"] = ("1", 1)
        return given, named

    def keep(self, label: str, result: Any) -> None:
        """Keep the result of a call, for later ones."""
        if result is None or isinstance(result, (bool, int, str, bytes)):
            return
        self.results.append((f"result of {label}", result))
        if len(self.results) > _RESULTS:
            self.results.pop(self.random.randrange(_RESULTS))

    def clear(self) -> None:
        """Let go of everything."""
        for held in self.alive, self.spent, self.results, self.current, self.contexts, self.changers, self.callables:
            held.clear()
        self.makers.clear()


def _echo_object(pipe: Any) -> None:
    for message in pipe:
        pipe.send_msg(message)


async def _echo_coroutine(pipe: Any) -> None:
    async for message in pipe:
        await pipe.send_msg(message)


def _required(function: Any) -> Iterator[object]:
    """Yield the parameters that must be given; something for what cannot be called."""
    if function is None:
        yield None
        return
    for parameter in inspect.signature(function).parameters.values():
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL:
            yield parameter


def _kinds() -> dict[str, list[str]]:
    """Return which handles and objects a name in an annotation stands for."""
    found: dict[str, list[str]] = {}
    for module in namespaces():
        name = module.__name__.rpartition(".")[2]
        camel = "".join(part.capitalize() for part in name[1:].split("_"))
        found[camel] = [f"{name}_t *"]
    found.update(
        {
            "TimerSet": ["ztimerset_t *"],
            "CertStore": ["zcertstore_t *"],
            "Socket": ["void *", "types.Socket"],
            "Socketish": ["void *", "zsock_t *", "zactor_t *"],
            "ZmqMsg": ["zmq_msg_t *"],
            "AnyBeacon": ["zbeacon_t *", "zactor_t *"],
            "Authenticator": ["zauth_t *", "zactor_t *"],
            "Monitor": ["void *", "zactor_t *"],
            "Reader": ["void *", "zsock_t *", "zactor_t *"],
            "Reactor": ["zloop_t *"],
            "Maybe": ["zhash_t *", "zhashx_t *", "zlist_t *", "zlistx_t *"],
            "Object": ["types.Socket", "aio.Socket", "types.Frame"],
            "Source": ["types.Socket", "types.Actor", "aio.Socket", "zsock_t *"],
        }
    )
    for short, _ in classes():
        name = short.rpartition(".")[2]
        found.setdefault(name, [])
        found[name] = [*found[name], short]
    return found


_KINDS = _kinds()
