"""The README's programs on the three floors, side by side: raw, namespaces, objects.

    python examples/floors.py

Each program is written three times and does the same: compare them function by function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyczmq import Actor, C, Context, Pipe, Socket, ffi, zactor, zctx, zmq, zsock, zsocket, zstr

if TYPE_CHECKING:
    from pyczmq._types import CData, Sock

# ---------------------------------------------------------------- a pipeline: one socket pushes, another pulls


def pipeline_raw() -> str:
    """Do as in C: whoever makes something destroys it, and text is bytes that end in NUL."""
    context = ffi.new("zctx_t **", C.zctx_new())
    push = C.zsocket_new(context[0], C.ZMQ_PUSH)
    pull = C.zsocket_new(context[0], C.ZMQ_PULL)
    C.zsocket_bind(push, b"inproc://pipeline")
    C.zsocket_connect(pull, b"inproc://pipeline")
    C.zstr_send(push, b"foo")
    string = ffi.new("char **", C.zstr_recv(pull))
    received: bytes = ffi.string(string[0])
    C.zstr_free(string)
    C.zctx_destroy(context)
    return received.decode()


def pipeline_namespaces() -> str:
    """Do the same with C's functions as Python has them: the garbage collector destroys, text is str."""
    context = zctx.new()
    push, pull = zsocket.new(context, zmq.PUSH), zsocket.new(context, zmq.PULL)
    assert push is not None and pull is not None
    zsocket.bind(push, "inproc://pipeline")
    zsocket.connect(pull, "inproc://pipeline")
    zstr.send(push, "foo")
    return zstr.recv(pull) or ""


def pipeline_objects() -> str:
    """Do the same with objects: failures are exceptions, the with statement closes."""
    with Context() as context:
        push = context.socket(zmq.PUSH, bind="inproc://pipeline")
        pull = context.socket(zmq.PULL, connect="inproc://pipeline")
        push.send("foo")
        return pull.recv()


# ---------------------------------------------------------------- an actor: a thread with a pipe serves requests


def adder_raw(pipe: CData, args: CData) -> None:
    """Serve one request, then wait to be told to end."""
    requests = ffi.new("zsock_t **", C.zsock_new_rep(b"@inproc://adder"))
    C.zsock_signal(pipe, 0)
    name, first, second = ffi.new("char **"), ffi.new("int *"), ffi.new("int *")
    C.zsock_recv(requests[0], b"sii", name, first, second)
    reply = ffi.new("char[]", b"hello " + ffi.string(name[0]))
    C.zsock_send(requests[0], b"si", reply, ffi.cast("int", first[0] + second[0]))
    C.zstr_free(name)
    C.zstr_free(ffi.new("char **", C.zstr_recv(pipe)))
    C.zsock_destroy(requests)


def actor_raw() -> tuple[str, int]:
    """Ask it."""
    task = ffi.callback("zactor_fn *", adder_raw)
    actor = ffi.new("zactor_t **", C.zactor_new(task, ffi.NULL))
    client = ffi.new("zsock_t **", C.zsock_new_req(b">inproc://adder"))
    C.zsock_send(client[0], b"sii", ffi.new("char[]", b"world"), ffi.cast("int", 20), ffi.cast("int", 22))
    greeting, total = ffi.new("char **"), ffi.new("int *")
    C.zsock_recv(client[0], b"si", greeting, total)
    answer = ffi.string(greeting[0]).decode(), int(total[0])
    C.zstr_free(greeting)
    C.zsock_destroy(client)
    C.zactor_destroy(actor)
    return answer


def adder_namespaces(pipe: Sock) -> None:
    """Do the same with the namespaces."""
    requests = zsock.new_rep("@inproc://adder")
    assert requests is not None
    zsock.signal(pipe)
    name, first, second = zsock.recv(requests, "sii") or ("", 0, 0)
    zsock.send(requests, "si", f"hello {name}", first + second)
    zstr.recv(pipe)
    # The garbage collector would, some time; but the endpoint is to be free for the next.
    zsock.destroy(requests)


def actor_namespaces() -> tuple[str, int]:
    """Ask it."""
    actor = zactor.new(adder_namespaces)
    client = zsock.new_req(">inproc://adder")
    assert client is not None
    zsock.send(client, "sii", "world", 20, 22)
    greeting, total = zsock.recv(client, "si") or ("", 0)
    zactor.destroy(actor)
    return greeting, total


def adder_objects(pipe: Pipe) -> None:
    """Do the same with objects."""
    with Socket(zmq.REP, bind="inproc://adder") as requests:
        pipe.signal()
        name, first, second = requests.recv_picture("sii")
        requests.send_picture("si", f"hello {name}", first + second)
        pipe.recv()


def actor_objects() -> tuple[str, int]:
    """Ask it."""
    with Actor(adder_objects), Socket(zmq.REQ, connect="inproc://adder") as client:
        client.send_picture("sii", "world", 20, 22)
        greeting, total = client.recv_picture("si")
        return greeting, total


def main() -> None:
    """Run all of them, and see that they do the same."""
    pipelines = [pipeline_raw(), pipeline_namespaces(), pipeline_objects()]
    actors = [actor_raw(), actor_namespaces(), actor_objects()]
    for floor, received, answer in zip(("raw", "namespaces", "objects"), pipelines, actors):
        print(f"{floor}: received {received!r}, and {answer!r} from the actor")
    assert set(pipelines) == {"foo"} and set(actors) == {("hello world", 42)}


if __name__ == "__main__":
    main()
