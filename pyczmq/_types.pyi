# Written by scripts/make_stubs.py from the headers in pyczmq/_cdef; do not edit.
"""Names for types only: there is no such module at run time, import it under TYPE_CHECKING."""

from typing import NewType, Union

from _cffi_backend import FFI
from typing_extensions import Buffer as _Buffer
from typing_extensions import TypeAlias

CData: TypeAlias = FFI.CData

Text: TypeAlias = Union[str, bytes]  # a C string; str is UTF-8
Buffer: TypeAlias = Union[bytes, bytearray, memoryview, _Buffer]  # whatever has the buffer protocol

Socket = NewType("Socket", CData)  # void *, a socket of libzmq
Actor = NewType("Actor", CData)  # zactor_t *
Args = NewType("Args", CData)  # zargs_t *
Armour = NewType("Armour", CData)  # zarmour_t *
Auth = NewType("Auth", CData)  # zauth_t *
Beacon = NewType("Beacon", CData)  # zbeacon_t *
Cert = NewType("Cert", CData)  # zcert_t *
CertStore = NewType("CertStore", CData)  # zcertstore_t *
Chunk = NewType("Chunk", CData)  # zchunk_t *
Config = NewType("Config", CData)  # zconfig_t *
Ctx = NewType("Ctx", CData)  # zctx_t *
Digest = NewType("Digest", CData)  # zdigest_t *
Dir = NewType("Dir", CData)  # zdir_t *
DirPatch = NewType("DirPatch", CData)  # zdir_patch_t *
File = NewType("File", CData)  # zfile_t *
Frame = NewType("Frame", CData)  # zframe_t *
Hash = NewType("Hash", CData)  # zhash_t *
Hashx = NewType("Hashx", CData)  # zhashx_t *
HttpClient = NewType("HttpClient", CData)  # zhttp_client_t *
HttpRequest = NewType("HttpRequest", CData)  # zhttp_request_t *
HttpResponse = NewType("HttpResponse", CData)  # zhttp_response_t *
HttpServer = NewType("HttpServer", CData)  # zhttp_server_t *
HttpServerOptions = NewType("HttpServerOptions", CData)  # zhttp_server_options_t *
Iflist = NewType("Iflist", CData)  # ziflist_t *
List = NewType("List", CData)  # zlist_t *
Listx = NewType("Listx", CData)  # zlistx_t *
Loop = NewType("Loop", CData)  # zloop_t *
Msg = NewType("Msg", CData)  # zmsg_t *
Osc = NewType("Osc", CData)  # zosc_t *
PollItem = NewType("PollItem", CData)  # zmq_pollitem_t *
Poller = NewType("Poller", CData)  # zpoller_t *
Proc = NewType("Proc", CData)  # zproc_t *
Rex = NewType("Rex", CData)  # zrex_t *
Sock = NewType("Sock", CData)  # zsock_t *
TimerSet = NewType("TimerSet", CData)  # ztimerset_t *
Trie = NewType("Trie", CData)  # ztrie_t *
Uuid = NewType("Uuid", CData)  # zuuid_t *
ZmqMsg = NewType("ZmqMsg", CData)  # zmq_msg_t *

# What CZMQ's functions take where they take any kind of socket.
Socketish: TypeAlias = Union[Socket, Sock, Actor]
