"""HTTP: what requests and responses have in common, and which servers and connections there are.

The threads of CZMQ's HTTP client and server trust whatever they are sent: pointers. So here it is known which sockets
lead to a server, and which connections wait for an answer of it.
"""

from __future__ import annotations

import errno
import os
import re
import struct
import weakref

from . import _actor_threads, _blocking, _containers, _endings, _handles, _keeper, _room, _text, _threads
from ._cffi import C, ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ._types import CData, HttpClient, HttpServer, HttpServerOptions, Sock, Socket, Text

CLIENT = ffi.typeof("zhttp_client_t *")
SERVER = ffi.typeof("zhttp_server_t *")
REQUEST = ffi.typeof("zhttp_request_t *")
RESPONSE = ffi.typeof("zhttp_response_t *")
OPTIONS = ffi.typeof("zhttp_server_options_t *")
_VOID = ffi.typeof("void *")
_SOCK = ffi.typeof("zsock_t *")
_DEALER = 5
_TYPE = 16
_LAST_ENDPOINT = 32
_LONGEST_ENDPOINT = 256
_INPROC = b"inproc://"

#: Milliseconds that a thread of C's has to end.
PATIENCE = 5000

#: Sockets of an actor's pipe, and what its own takes.
_SOCKETS = 4

#: Descriptors that a server opens, all of which must be such that select() takes them.
_DESCRIPTORS = 16
_SELECTABLE = 1024

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTENT_TYPE = b"Content-Type"

# A companion of a request or response: the memory of its content, which C only borrows.
_CONTENT = "the content"

#: What a server sends to its workers, before and after two strings; what the client sends to its user.
_POINTER = struct.calcsize("P")
_REQUEST_TAIL = struct.Struct("=QQ" if _POINTER == 8 else "=LL")
_ANSWER = struct.Struct("=LQQLQQ" if _POINTER == 8 else "=LLLLLL")


def need(name: str) -> None:
    """Raise C's AttributeError if the library lacks a function."""
    getattr(C, name)


# ---------------------------------------------------------------- headers and content


def check_header(name: Text, value: Text) -> tuple[bytes, bytes]:
    """Return a header's name and value for C; ValueError where they would break the header apart."""
    key, text = _text.cstring(name, "each key of headers"), _text.cstring(value, "each value of headers")
    if not _TOKEN.fullmatch(key):
        raise ValueError(f"each key of headers must be the name of a header, not {_text.decode(key)!r}")
    if b"\r" in text or b"\n" in text:
        raise ValueError(f"each value of headers must be one line, not {_text.decode(text)!r}")
    return key, text


def set_headers(hash: CData, headers: Mapping[Text, Text]) -> None:
    """Set all that is in a zhash of headers."""
    checked = [check_header(name, value) for name, value in headers.items()]
    clear(hash)
    for key, text in checked:
        C.zhash_update(hash, key, ffi.from_buffer(text))


def clear(hash: CData) -> None:
    """Empty a zhash of strings."""
    for key in _containers.peek_mapping(hash):
        C.zhash_delete(hash, _text.encode(key))


def content_type(content_type: Text, hash: CData) -> bytes:
    """Return a content type for C, which does not replace the one that is there: that is removed."""
    _, text = check_header(_CONTENT_TYPE, content_type)
    C.zhash_delete(hash, _CONTENT_TYPE)
    return text


def allocate(text: bytes) -> CData:
    """Return a copy of a string in C's memory, which C is to free; in a ``char **``."""
    copy: CData = C.zsys_sprintf(b"%s", ffi.new("char[]", text))
    if not copy:
        raise MemoryError(f"no memory for {len(text)} bytes")
    reference: CData = ffi.new("char **", copy)
    return reference


def lend_content(handle: CData, function: Any, content: bytes) -> None:
    """Give C a content that it does not own; it lives as long as C may read it."""
    memory = ffi.new("char[]", content)
    function(handle, memory)
    _handles.companions(handle)[_CONTENT] = memory


def forget_content(handle: CData) -> None:
    """Free what C was lent for content, and does not have any more."""
    found = _handles.find_companions(handle)
    if found:
        found.pop(_CONTENT, None)


def give_content(handle: CData, set_content: Any, anyhow: bool = False) -> None:
    """Turn a content that C was lent into one that it owns: it is about to go to another thread.

    Where there is none, it becomes an empty one if *anyhow*.
    """
    memory = (_handles.find_companions(handle) or {}).get(_CONTENT)
    if memory is not None:
        set_content(handle, allocate(ffi.string(memory)))
        forget_content(handle)
    elif anyhow:
        set_content(handle, allocate(b""))


def _free_hash(address: int) -> None:
    C.zhash_destroy(ffi.new("zhash_t **", ffi.cast("zhash_t *", address)))


def _free_text(address: int) -> None:
    C.zstr_free(ffi.new("char **", ffi.cast("char *", address)))


# ---------------------------------------------------------------- clients


class Client(_keeper.Keeper):
    """What goes with one client: what its user has given along with each request that is under way."""

    __slots__ = ("arguments", "count")

    def __init__(self) -> None:
        super().__init__()
        #: A number that C takes for a pointer -> the two arguments.
        self.arguments: dict[int, tuple[Any, Any]] = {}
        self.count = 0

    def note(self, arg: Any, arg2: Any) -> CData:
        """Note the arguments that go with a request, and return what C is to have in their place."""
        self.count += 1
        self.arguments[self.count] = arg, arg2
        number: CData = ffi.cast("void *", self.count)
        return number

    def recall(self, arg: CData, arg2: CData) -> tuple[Any, Any]:
        """Return the arguments for what C has; those of the raw floor are pointers, None for NULL."""
        number = int(ffi.cast("uintptr_t", arg))
        if not arg2 and number in self.arguments:
            return self.arguments.pop(number)
        return arg or None, arg2 or None


def new_client(verbose: bool) -> HttpClient:
    """Return a new client in the garbage collector's care."""
    function = C.zhttp_client_new
    _begin()
    pointer = _threads.masked(function, bool(verbose))
    if not pointer:
        raise RuntimeError("libczmq was built without libcurl, and has no HTTP client")
    _endings.unbound(_endings.actor(pointer))
    client: HttpClient | None = _keeper.own(pointer, free_client, Client())
    assert client is not None
    return client


def find_client(client: HttpClient) -> Client:
    """Return what goes with a client that is alive."""
    return _keeper.find(client, CLIENT, "client", Client)


def socket(client: HttpClient) -> Socket:
    """Return the libzmq socket that a client's responses come over."""
    return C.zsock_resolve(_endings.actor(client))


def free_client(pointer: HttpClient) -> None:
    """End a client, with the requests that are under way."""
    function = C.zhttp_client_destroy
    if _endings.end(_endings.actor(pointer), PATIENCE, take=_drop_answer):
        function(ffi.new("zhttp_client_t **", pointer))
    # Else its thread is waiting for libcurl, which is asking for a name: it ends by itself.


def _drop_answer(content: bytes) -> None:
    """Free what is in an answer that nobody has received."""
    if len(content) == _ANSWER.size:
        *_, headers, text = _ANSWER.unpack(content)
        _free_hash(headers)
        _free_text(text)


def _begin() -> None:
    """Raise where there is no room for an actor."""
    _room.make(_SOCKETS)
    _actor_threads.check_thread()


# ---------------------------------------------------------------- servers


class Server:
    """A server that runs: its address for workers, and the connections that wait for an answer."""

    def __init__(self, address: bytes, options: HttpServerOptions) -> None:
        self.address = address
        #: C's own, which live as long as the server.
        self.options = options
        self.port = 0
        #: Address -> the handle that was handed out.
        self.connections: dict[int, weakref.ref[Any]] = {}

    def lend(self, address: int) -> CData:
        """Return the handle for a connection that waits for an answer."""
        handle: CData = ffi.cast(_VOID, address)
        self.connections[address] = weakref.ref(handle)
        return handle

    def check(self, connection: CData) -> None:
        """Raise unless a connection waits for an answer of this server."""
        _handles.live(connection, _VOID, "connection")
        found = self.connections.get(_address(connection))
        if found is None or found() is not connection:
            raise ValueError("connection is none of this server's that waits for an answer")

    def answered(self, connection: CData) -> None:
        """Refuse a connection from now on."""
        self.connections.pop(_address(connection), None)
        _handles.kill(connection, "was answered")

    def free(self, pointer: HttpServer) -> None:
        """End the server; connections that wait are closed without an answer."""
        for reference in self.connections.values():
            handle = reference()
            if handle is not None:
                _handles.kill(handle, "was closed with its server")
        self.connections.clear()
        rescue = _Rescue(self.address)
        try:
            ended = _endings.end(_endings.actor(pointer), PATIENCE, meanwhile=rescue)
        finally:
            rescue.close()
            if servers.get(self.address) is self:
                del servers[self.address]
        if ended:
            C.zhttp_server_destroy(ffi.new("zhttp_server_t **", pointer))
            C.zhttp_server_options_destroy(ffi.new("zhttp_server_options_t **", self.options))


#: Servers that run: their address for workers -> server.
servers: dict[bytes, Server] = {}


def _address(connection: CData) -> int:
    return int(ffi.cast("uintptr_t", connection))


class _Rescue:
    """Sets free a server that is stuck: it waits until a worker takes the next request."""

    #: How often a server is waited for before.
    _ROUNDS = 20

    def __init__(self, address: bytes) -> None:
        self.address = address
        self.rounds = 0
        self.worker: Any = None

    def __call__(self) -> None:
        self.rounds += 1
        if self.rounds < self._ROUNDS:
            return
        if self.worker is None:
            self.worker = C.zmq_socket(C.zsys_init(), _DEALER)
            C.zmq_connect(self.worker, self.address)
        for frames in _endings.messages(self.worker):
            drop_request(frames[0])

    def close(self) -> None:
        if self.worker:
            for frames in _endings.messages(self.worker):
                drop_request(frames[0])
            C.zmq_close(self.worker)


def new_server(options: HttpServerOptions) -> HttpServer:
    """Return a new server in the garbage collector's care."""
    function = C.zhttp_server_new
    port, address = C.zhttp_server_options_port(options), ffi.string(C.zhttp_server_options_backend_address(options))
    if not 0 <= port <= 65535:
        raise ValueError(f"options must have a port from 0 to 65535, not {port}")
    check_address(address, "the backend address of options")
    _begin()
    _check_descriptors()
    _check_address_is_free(address)
    if port:
        _check_port_is_free(port)
    # What the caller does with the options is no matter of the server's.
    own = C.zhttp_server_options_new()
    C.zhttp_server_options_set_port(own, port)
    C.zhttp_server_options_set_backend_address(own, address)
    pointer = _threads.masked(function, own)
    if not pointer:
        C.zhttp_server_options_destroy(ffi.new("zhttp_server_options_t **", own))
        raise RuntimeError("libczmq was built without libmicrohttpd, and has no HTTP server")
    _endings.unbound(_endings.actor(pointer))
    server = Server(address, own)
    servers[address] = server
    handle: HttpServer | None = _handles.own(pointer, server.free)
    assert handle is not None
    _handles.companions(handle)[Server] = server
    # Later on the server may be waiting for a worker, and answer nothing.
    server.port = port or _threads.masked(C.zhttp_server_port, handle)
    return handle


def check_address(address: bytes, name: str) -> bytes:
    """Return a server's address for workers; anything but inproc would let others send it pointers."""
    if not address.startswith(_INPROC) or not len(_INPROC) < len(address) < _LONGEST_ENDPOINT:
        raise ValueError(f"{name} must be inproc:// and a name, {_LONGEST_ENDPOINT - 1} bytes at most")
    return address


def _check_descriptors() -> None:
    """Raise OSError where a server would open descriptors that select() does not take: C would abort."""
    opened: list[int] = []
    try:
        while len(opened) < _DESCRIPTORS:
            opened.append(os.open(os.devnull, os.O_RDONLY))
        highest = max(opened)
    finally:
        for descriptor in opened:
            os.close(descriptor)
    if highest >= _SELECTABLE and os.name == "posix":
        raise OSError(errno.EMFILE, f"CZMQ's HTTP server works only while less than {_SELECTABLE} files are open")


def _check_address_is_free(address: bytes) -> None:
    probe = C.zmq_socket(C.zsys_init(), _DEALER)
    try:
        if C.zmq_bind(probe, address) != 0:
            raise OSError(ffi.errno, f"{_text.decode(address)} is taken, or no address")
        # Closing alone would free the name some time later.
        C.zmq_unbind(probe, address)
    finally:
        C.zmq_close(probe)


def _check_port_is_free(port: int) -> None:
    """Raise OSError where a server cannot listen: C would abort."""
    import socket as sockets

    with sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        probe.bind(("", port))
        probe.listen()


# ---------------------------------------------------------------- workers


def find_server(sock: Sock) -> tuple[Server, Socket]:
    """Return the server that a worker's socket is connected to, and the libzmq socket behind it; else ValueError."""
    _handles.live(sock, _SOCK, "sock")
    handle = C.zsock_resolve(sock)
    buffer, size = ffi.new("char[]", _LONGEST_ENDPOINT + 1), ffi.new("size_t *", _LONGEST_ENDPOINT)
    kind = ffi.new("int *")
    C.zmq_getsockopt(handle, _TYPE, kind, ffi.new("size_t *", ffi.sizeof("int")))
    known = C.zmq_getsockopt(handle, _LAST_ENDPOINT, buffer, size) == 0
    server = servers.get(ffi.string(buffer)) if known and kind[0] == _DEALER else None
    if server is None:
        raise ValueError("sock must be a DEALER zsock that is connected to the backend address of a running server")
    for address in list(servers):
        if address != server.address and C.zmq_disconnect(handle, address) == 0:
            # An answer would go to either of them, and a server aborts over a connection that is not its own.
            raise ValueError(f"sock must be connected to one server only: it was disconnected from {address!r}")
    return server, handle


class Parcel:
    """A request as a server hands it to a worker: what is in C's memory is the parcel's until it is taken."""

    def __init__(self, content: bytes) -> None:
        self.connection = int.from_bytes(content[:_POINTER], _byteorder())
        headers, text = _REQUEST_TAIL.unpack(content[-_REQUEST_TAIL.size :])
        self.headers = ffi.cast("zhash_t *", headers)
        self.text = ffi.cast("char *", text)
        middle = content[_POINTER : -_REQUEST_TAIL.size]
        length = middle[0]
        self.method = middle[1 : 1 + length]
        self.url = middle[5 + length :]
        #: C writes a method of more than 255 bytes so that nobody can read the message.
        self.is_sound = int.from_bytes(middle[1 + length : 5 + length], "big") == len(self.url)

    def free(self) -> None:
        """Free what is in C's memory."""
        C.zhash_destroy(ffi.new("zhash_t **", self.headers))
        C.zstr_free(ffi.new("char **", self.text))


def _byteorder() -> Any:
    import sys

    return sys.byteorder


#: Bytes of a parcel with two empty strings.
_LEAST = _POINTER + 1 + 4 + _REQUEST_TAIL.size


def receive(handle: Socket) -> Parcel | None:
    """Receive a request from a server, blocking as the socket's RCVTIMEO says; None if there is none."""
    message = ffi.new("zmq_msg_t *")
    C.zmq_msg_init(message)
    try:
        while _blocking.receive(message, handle) >= 0:
            content = bytes(ffi.buffer(C.zmq_msg_data(message), C.zmq_msg_size(message)))
            # Only what comes over inproc has no such note.
            foreign = bool(C.zmq_msg_gets(message, b"Socket-Type"))
            parts = 1
            while C.zmq_msg_more(message):
                _blocking.receive(message, handle)
                parts += 1
            if parts == 1 and not foreign and len(content) >= _LEAST:
                return Parcel(content)
    finally:
        C.zmq_msg_close(message)
    return None


def drop_request(content: bytes) -> None:
    """Free what is in a request that nobody will answer."""
    if len(content) >= _LEAST:
        Parcel(content).free()


def wait_for_room(handle: Socket) -> bool:
    """Wait until a worker's socket has room, as its SNDTIMEO says; False, with errno EAGAIN, if it has none."""
    return _blocking.sleep_until_ready(handle, _blocking.POLLOUT)


def refuse(sock: Sock, connection: int, status: int) -> None:
    """Answer a request that cannot be handed out."""
    response = C.zhttp_response_new()
    C.zhttp_response_set_status_code(response, status)
    if wait_for_room(C.zsock_resolve(sock)):
        C.zhttp_response_send(response, sock, ffi.new("void **", ffi.cast(_VOID, connection)))
    C.zhttp_response_destroy(ffi.new("zhttp_response_t **", response))


def _after_fork() -> None:
    servers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
