"""Cycles of frames and messages that go nowhere: made, changed, looked at, moved about, destroyed."""

from __future__ import annotations

from cycles import cycle, has, optional, simple
from cycles.calls import KIB64, fail, fails, refused
from pyczmq import zframe, zmq, zmsg

# Messages and frames belong to who makes them, so there is one way to end them.
simple("zframe.new", lambda: zframe.destroy(zframe.new(b"small")))
simple("zframe.new, 64 KiB", lambda: zframe.destroy(zframe.new(KIB64)))
simple("zframe.new_empty", lambda: zframe.destroy(zframe.new_empty()))
simple("zframe.from_", lambda: zframe.destroy(zframe.from_("text")))
simple("zframe.frommem", lambda: zframe.destroy(zframe.frommem(bytearray(b"lent"))))
simple(
    "zframe.frommem with a destructor",
    lambda: zframe.destroy(zframe.frommem(bytearray(KIB64), lambda hint: None, ["hint"])),
)
simple("zmsg.new", lambda: zmsg.destroy(zmsg.new()))
simple("zmsg.new_signal", lambda: zmsg.destroy(zmsg.new_signal(1)))


@cycle("zframe, a tour")
def _zframe() -> None:
    frame, other = zframe.new(b"content"), zframe.new("text")
    copy = zframe.dup(frame)
    zframe.size(frame)
    zframe.data(frame)[0:1] = b"C"
    zframe.meta(frame, "Socket-Type")
    zframe.strhex(frame)
    zframe.strdup(frame)
    zframe.streq(frame, "content")
    zframe.set_more(frame, 1 - zframe.more(frame))
    zframe.eq(frame, copy)
    # Not the one that had a view: PyPy's garbage collector would have to find out that nobody has it any more.
    zframe.reset(other, KIB64)
    zframe.put_block(other, b"b")
    zframe.print(other, "prefix")
    zframe.print_n(other, "prefix", 1)
    zframe.is_(frame)
    optional(zframe.routing_id, frame)
    optional(zframe.set_routing_id, frame, 1)
    optional(zframe.group, frame)
    optional(zframe.set_group, frame, "group")
    for made in (frame, other, copy):
        zframe.destroy(made)


@cycle("zframe.data, a view that outlives its frame")
def _view() -> None:
    frame = zframe.new(b"content")
    view = zframe.data(frame)
    zframe.destroy(frame)
    assert view[:] == b"content"


@cycle("zframe, what is gone is refused")
def _refused() -> None:
    frame = zframe.new(b"content")
    zframe.destroy(frame)
    for function in (zframe.data, zframe.destroy, zframe.dup):
        refused(function, frame)


@cycle("zframe.frommem, a destructor that raises")
def _frommem_raises() -> None:
    fails(zframe.destroy, zframe.frommem(bytearray(b"lent"), fail, None))


@cycle("zmsg, a tour")
def _zmsg() -> None:
    message = zmsg.new()
    zmsg.append(message, zframe.new(b"b"))
    zmsg.prepend(message, zframe.new(b"a"))
    zmsg.add(message, zframe.new(b"c"))
    zmsg.push(message, zframe.new(b"z"))
    zmsg.pushmem(message, b"data")
    zmsg.addmem(message, KIB64)
    zmsg.pushstr(message, "text")
    zmsg.addstr(message, "text")
    zmsg.pushstrf(message, "%d", 1)
    zmsg.addstrf(message, "%d", 1)
    zmsg.size(message)
    zmsg.content_size(message)
    zframe.data(zmsg.first(message))
    zmsg.next(message)
    last = zmsg.last(message)
    zmsg.remove(message, last)
    zframe.destroy(last)
    zmsg.popstr(message)
    zframe.destroy(zmsg.pop(message))
    zmsg.wrap(message, zframe.new(b"address"))
    zframe.destroy(zmsg.unwrap(message))
    copy = zmsg.dup(message)
    zmsg.eq(message, copy)
    zmsg.addmsg(message, copy)
    zmsg.last(message)
    encoded = zmsg.encode(message)
    decoded = zmsg.decode(encoded)
    zframe.destroy(encoded)
    while zmsg.size(decoded) > 1:
        zframe.destroy(zmsg.pop(decoded))
    zmsg.destroy(zmsg.popmsg(decoded))
    zmsg.destroy(decoded)
    zmsg.signal(message)
    zmsg.print(message)
    zmsg.print_n(message, 10)
    zmsg.dump(message)
    zmsg.is_(message)
    optional(zmsg.routing_id, message)
    optional(zmsg.set_routing_id, message, 1)
    zmsg.destroy(message)


@cycle("zmsg, a frame in it outlives it")
def _inside() -> None:
    message = zmsg.new()
    frame = zframe.new(b"content")
    zmsg.append(message, frame)
    lent = zmsg.first(message)
    zmsg.destroy(message)
    refused(zframe.data, frame)
    refused(zframe.data, lent)


@cycle("zmsg.decode, nonsense")
def _nonsense() -> None:
    frame = zframe.new(b"\xff\xff\xff\xff\xff")
    assert zmsg.decode(frame) is None
    assert zmsg.decode(b"\x09abc") is None
    zframe.destroy(frame)
    message = zmsg.new()
    zmsg.addmem(message, b"\x09abc")
    zmsg.destroy(zmsg.popmsg(message))
    zmsg.destroy(message)


# ---------------------------------------------------------------- libzmq's messages: cffi's memory, closed by whoever

simple("zmq.msg_init, collected", lambda: zmq.msg_init())
simple("zmq.msg_init_size, closed", lambda: zmq.msg_close(zmq.msg_init_size(1000)))
simple("zmq.msg_init_size, collected", lambda: zmq.msg_init_size(1000))
simple("zmq.msg_init_data, closed", lambda: zmq.msg_close(zmq.msg_init_data(bytearray(1000))))
simple("zmq.msg_init_data, collected", lambda: zmq.msg_init_data(bytearray(1000)))
simple("zmq.msg_init_buffer, closed", lambda: zmq.msg_close(zmq.msg_init_buffer(KIB64)))
simple("zmq.msg_init_buffer, collected", lambda: zmq.msg_init_buffer(KIB64))


@cycle("zmq.msg_*, a tour")
def _msg() -> None:
    message, other = zmq.msg_init_buffer(KIB64), zmq.msg_init()
    zmq.msg_copy(other, message)
    zmq.msg_move(message, other)
    view = zmq.msg_data(message)
    zmq.msg_size(message)
    zmq.msg_more(message)
    zmq.msg_get(message, zmq.MORE)
    zmq.msg_set(message, zmq.MORE, 1)
    zmq.msg_gets(message, "Socket-Type")
    zmq.msg_close(message)
    assert len(view[:]) == len(KIB64)


# ---------------------------------------------------------------- libzmq's small tools


@cycle("zmq.atomic_counter_*, destroyed")
def _counter() -> None:
    counter = zmq.atomic_counter_new()
    zmq.atomic_counter_set(counter, 5)
    zmq.atomic_counter_inc(counter)
    zmq.atomic_counter_dec(counter)
    zmq.atomic_counter_value(counter)
    zmq.atomic_counter_destroy(counter)


simple("zmq.atomic_counter_new, collected", lambda: zmq.atomic_counter_new())


@cycle("zmq.stopwatch_*, stopped")
def _stopwatch() -> None:
    watch = zmq.stopwatch_start()
    if has("zmq_stopwatch_intermediate"):
        zmq.stopwatch_intermediate(watch)
    zmq.stopwatch_stop(watch)


simple("zmq.stopwatch_start, collected", lambda: zmq.stopwatch_start())


if has("zmq_timers_new"):

    @cycle("zmq.timers_*, destroyed")
    def _timers() -> None:
        timers = zmq.timers_new()
        number = zmq.timers_add(timers, 1, lambda number, arg: None, ["arg"])
        zmq.timers_set_interval(timers, number, 1)
        zmq.timers_reset(timers, number)
        zmq.timers_timeout(timers)
        zmq.timers_execute(timers)
        zmq.timers_cancel(timers, number)
        zmq.timers_destroy(timers)

    simple("zmq.timers_new, collected", lambda: zmq.timers_new())
