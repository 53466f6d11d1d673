"""The one table of libzmq's socket options, and how its rows become C prototypes, docstrings and type stubs.

Plain data, with no imports: `pyczmq._zsockopt` makes the functions from it, and ``scripts/make_option_stubs.py`` the
type stubs and the C declarations, for which no library has to be there.
"""

from __future__ import annotations

#: name: (libzmq's number, kind, access, libzmq version, what it is). What it is follows "Return" and "Set"; a text that
#: begins with a capital letter is a setter's whole sentence. In the access, r is readable and w writable, d marks
#: a draft option, and s one whose value must never be shown. `KINDS` tells the kinds apart.
OPTIONS: dict[str, tuple[int, str, str, str, str]] = {
    "swap": (3, "int64", "rw", "2.0", "the size of the swap file of libzmq 2, in bytes; later ones have none"),
    "affinity": (4, "uint64", "rw", "2.0", "the I/O threads that serve new connections, one bit each; 0 is any"),
    "routing_id": (5, "binary", "rw", "2.0", "the routing id (identity) that peers see, 1 to 255 bytes"),
    "subscribe": (6, "topic", "w", "2.0", "Subscribe a SUB socket to messages that begin with *value*; '' is all"),
    "unsubscribe": (7, "topic", "w", "2.0", "Undo one subscription of a SUB socket to *value*"),
    "rate": (8, "int", "rw", "2.0", "the highest rate of multicast transports, in kilobits per second"),
    "recovery_ivl": (9, "int", "rw", "2.0", "how long a multicast receiver may be absent, in milliseconds"),
    "sndbuf": (11, "int", "rw", "2.0", "the kernel's transmit buffer size, in bytes; -1 is the system's default"),
    "rcvbuf": (12, "int", "rw", "2.0", "the kernel's receive buffer size, in bytes; -1 is the system's default"),
    "rcvmore": (13, "bool", "r", "2.0", "whether the message that was received last has more frames to come"),
    "fd": (14, "fd", "r", "2.0", "the file descriptor that is readable when `events` is to be looked at again"),
    "events": (15, "int", "r", "2.0", "what the socket is ready for: zmq.POLLIN, zmq.POLLOUT, both or 0"),
    "type": (16, "int", "r", "2.0", "the socket's type, one of zmq.PAIR, zmq.PUB …"),
    "linger": (17, "int", "rw", "2.0", "how long a closed socket goes on sending, in milliseconds; -1 is for ever"),
    "reconnect_ivl": (18, "int", "rw", "2.0", "the pause before a reconnection, in milliseconds; -1 is never"),
    "backlog": (19, "int", "rw", "2.0", "how many connections may wait to be accepted"),
    "reconnect_ivl_max": (
        21,
        "int",
        "rw",
        "2.0",
        "the longest pause before a reconnection, in milliseconds; 0 is none",
    ),
    "maxmsgsize": (22, "int64", "rw", "3.0", "the largest frame that is let in, in bytes; -1 is no limit"),
    "sndhwm": (23, "int", "rw", "3.0", "the high-water mark for sending, in messages per peer; 0 is no limit"),
    "rcvhwm": (24, "int", "rw", "3.0", "the high-water mark for receiving, in messages per peer; 0 is no limit"),
    "multicast_hops": (25, "int", "rw", "3.0", "how many hops multicast packets may travel"),
    "rcvtimeo": (27, "int", "rw", "2.2", "how long a receive may block, in milliseconds; -1 is for ever"),
    "sndtimeo": (28, "int", "rw", "2.2", "how long a send may block, in milliseconds; -1 is for ever"),
    "ipv4only": (31, "bool", "rw", "3.0", "whether IPv6 is switched off: the opposite of `ipv6`, deprecated"),
    "last_endpoint": (32, "text", "r", "3.2", "the endpoint that was bound or connected last, wildcards resolved"),
    "router_mandatory": (33, "bool", "w", "3.2", "whether a ROUTER refuses, rather than drops, what it cannot route"),
    "tcp_keepalive": (34, "int", "rw", "3.2", "TCP's SO_KEEPALIVE: 0, 1, or -1 for the system's default"),
    "tcp_keepalive_cnt": (35, "int", "rw", "3.2", "TCP's TCP_KEEPCNT, in probes; -1 is the system's default"),
    "tcp_keepalive_idle": (36, "int", "rw", "3.2", "TCP's TCP_KEEPIDLE, in seconds; -1 is the system's default"),
    "tcp_keepalive_intvl": (37, "int", "rw", "3.2", "TCP's TCP_KEEPINTVL, in seconds; -1 is the system's default"),
    "tcp_accept_filter": (38, "clearable", "rw", "3.2", "an address block to accept connections from; '' forgets all"),
    "immediate": (39, "bool", "rw", "4.0", "whether messages queue only for connections that are complete"),
    "xpub_verbose": (40, "bool", "w", "3.2", "whether an XPUB passes on subscriptions that it has already"),
    "router_raw": (41, "bool", "w", "4.0", "whether a ROUTER speaks bare TCP; deprecated, use a STREAM socket"),
    "ipv6": (42, "bool", "rw", "4.0", "whether IPv6 is used beside IPv4"),
    "mechanism": (43, "int", "r", "4.0", "the security mechanism: zmq.NULL, zmq.PLAIN, zmq.CURVE or zmq.GSSAPI"),
    "plain_server": (44, "bool", "rw", "4.0", "whether the socket is a server for PLAIN security"),
    "plain_username": (45, "text", "rw", "4.0", "the user name of a PLAIN client, 1 to 255 bytes"),
    "plain_password": (46, "text", "rws", "4.0", "the password of a PLAIN client, 1 to 255 bytes"),
    "curve_server": (47, "bool", "rw", "4.0", "whether the socket is a server for CURVE security"),
    "curve_publickey": (48, "key", "rw", "4.0", "the socket's own CURVE public key, 40 characters of Z85"),
    "curve_publickey_bin": (48, "rawkey", "w", "4.0", "the socket's own CURVE public key, 32 bytes"),
    "curve_secretkey": (49, "key", "rws", "4.0", "the socket's own CURVE secret key, 40 characters of Z85"),
    "curve_secretkey_bin": (49, "rawkey", "ws", "4.0", "the socket's own CURVE secret key, 32 bytes"),
    "curve_serverkey": (50, "key", "rw", "4.0", "the CURVE public key of the server, 40 characters of Z85"),
    "curve_serverkey_bin": (50, "rawkey", "w", "4.0", "the CURVE public key of the server, 32 bytes"),
    "probe_router": (51, "bool", "w", "4.0", "whether an empty message goes to each new peer"),
    "req_correlate": (52, "bool", "w", "4.0", "whether a REQ numbers its requests to tell their replies apart"),
    "req_relaxed": (53, "bool", "w", "4.0", "whether a REQ may send again before the reply has come"),
    "conflate": (54, "bool", "w", "4.0", "whether only the last message is kept"),
    "zap_domain": (55, "text", "rw", "4.0", "the domain for authentication (ZAP), 1 to 255 bytes"),
    "router_handover": (56, "bool", "w", "4.1", "whether a ROUTER's newest peer takes over a routing id in use"),
    "tos": (57, "int", "rw", "4.1", "the type-of-service field of IP packets"),
    "ipc_filter_pid": (58, "int", "w", "4.1", "Let the process *value* in over ipc; deprecated"),
    "ipc_filter_uid": (59, "uint32", "w", "4.1", "Let the user id *value* in over ipc; deprecated"),
    "ipc_filter_gid": (60, "uint32", "w", "4.1", "Let the group id *value* in over ipc; deprecated"),
    "connect_routing_id": (
        61,
        "binary",
        "w",
        "4.1",
        "the routing id of the next peer that a ROUTER or STREAM connects to",
    ),
    "connect_rid_bin": (
        61,
        "bytes",
        "w",
        "4.1",
        "the routing id of the next peer that is connected to, C's is 32 bytes",
    ),
    "gssapi_server": (62, "bool", "rw", "4.1", "whether the socket is a server for GSSAPI security"),
    "gssapi_principal": (63, "text", "rw", "4.1", "the GSSAPI principal whose credentials are used"),
    "gssapi_service_principal": (64, "text", "rw", "4.1", "the principal of the GSSAPI server to connect to"),
    "gssapi_plaintext": (65, "bool", "rw", "4.1", "whether GSSAPI leaves the traffic unencrypted"),
    "handshake_ivl": (66, "int", "rw", "4.1", "how long a handshake may take, in milliseconds; 0 is no limit"),
    "socks_proxy": (68, "clearable", "rw", "4.1", "the address of the SOCKS5 proxy for TCP connections; '' is none"),
    "xpub_nodrop": (69, "bool", "w", "4.1", "whether an XPUB blocks, rather than drops, at the high-water mark"),
    "xpub_manual": (71, "bool", "w", "4.2", "whether an XPUB subscribes its peers only as `set_subscribe` says"),
    "xpub_welcome_msg": (72, "binary", "w", "4.2", "the message that each new subscriber of an XPUB gets; '' is none"),
    "stream_notify": (73, "bool", "w", "4.2", "whether a STREAM tells of connections and disconnections"),
    "invert_matching": (74, "bool", "rw", "4.2", "whether subscriptions select what is not wanted"),
    "heartbeat_ivl": (75, "int", "rw", "4.2", "the time between heartbeats, in milliseconds; 0 is none"),
    "heartbeat_ttl": (76, "int", "rw", "4.2", "how long the peer waits for traffic, in milliseconds; 0 is for ever"),
    "heartbeat_timeout": (77, "int", "rw", "4.2", "how long to wait after a heartbeat, in milliseconds"),
    "xpub_verboser": (78, "bool", "w", "4.2", "whether an XPUB passes on all subscriptions and unsubscriptions"),
    "connect_timeout": (
        79,
        "int",
        "rw",
        "4.2",
        "how long connecting may take, in milliseconds; 0 is the system's limit",
    ),
    "tcp_maxrt": (80, "int", "rw", "4.2", "how long TCP retransmits, in milliseconds; 0 is the system's default"),
    "thread_safe": (81, "bool", "r", "4.2", "whether several threads may use the socket at once"),
    "multicast_maxtpdu": (84, "int", "rw", "4.2", "the largest multicast packet, in bytes"),
    "vmci_buffer_size": (85, "uint64", "rw", "4.2", "the buffer size of the VMCI transport, in bytes"),
    "vmci_buffer_min_size": (86, "uint64", "rw", "4.2", "the smallest buffer size of the VMCI transport, in bytes"),
    "vmci_buffer_max_size": (87, "uint64", "rw", "4.2", "the largest buffer size of the VMCI transport, in bytes"),
    "vmci_connect_timeout": (88, "int", "rw", "4.2", "how long connecting over VMCI may take, in milliseconds"),
    "use_fd": (89, "int", "rw", "4.2", "the listening descriptor that the next bind takes over; -1 is none"),
    "gssapi_principal_nametype": (90, "int", "rw", "4.3", "the kind of name that `gssapi_principal` is, 0 to 2"),
    "gssapi_service_principal_nametype": (
        91,
        "int",
        "rw",
        "4.3",
        "the kind of name that `gssapi_service_principal` is, 0 to 2",
    ),
    "bindtodevice": (92, "clearable", "rw", "4.3", "the network device that the socket is bound to; '' is none"),
    "zap_enforce_domain": (93, "bool", "rwd", "4.3", "whether authentication (ZAP) happens only where a domain is set"),
    "loopback_fastpath": (94, "bool", "rwd", "4.3", "whether Windows' fast path for TCP on one machine is used"),
    "metadata": (95, "text", "rwd", "4.3", "a property for peers to read, as X-name:value"),
    "multicast_loop": (96, "bool", "rwd", "4.3", "whether multicast reaches this machine's own listeners"),
    "router_notify": (97, "int", "rwd", "4.3", "what a ROUTER tells of: connections (1), disconnections (2)"),
    "xpub_manual_last_value": (98, "bool", "wd", "4.3", "whether `xpub_manual` serves the last subscriber alone"),
    "socks_username": (99, "clearable", "rwd", "4.3", "the user name for the SOCKS5 proxy; '' is none"),
    "socks_password": (100, "clearable", "rwds", "4.3", "the password for the SOCKS5 proxy; '' is none"),
    "in_batch_size": (101, "int", "rwd", "4.3", "how many bytes are read in one go"),
    "out_batch_size": (102, "int", "rwd", "4.3", "how many bytes are written in one go"),
    "wss_key_pem": (103, "text", "wds", "4.3", "the private key of a WSS server, as PEM"),
    "wss_cert_pem": (104, "text", "wd", "4.3", "the certificate of a WSS server, as PEM"),
    "wss_trust_pem": (105, "text", "wd", "4.3", "the authority that a WSS client trusts, as PEM"),
    "wss_hostname": (106, "text", "wd", "4.3", "the host name that a WSS client asks for"),
    "wss_trust_system": (107, "bool", "wd", "4.3", "whether a WSS client trusts the system's authorities"),
    "only_first_subscribe": (108, "bool", "wd", "4.3", "whether only a message's first frame may be a subscription"),
    "reconnect_stop": (109, "int", "rwd", "4.3", "what ends reconnecting, a sum of zmq.RECONNECT_STOP_… flags"),
    "hello_msg": (110, "frame", "wd", "4.3", "the message that each new peer gets; '' is none"),
    "disconnect_msg": (111, "frame", "wd", "4.3", "the message that is received once a peer has gone; '' is none"),
    "priority": (112, "int", "rwd", "4.3", "the priority of the packets that are sent"),
    "busy_poll": (113, "int", "rwd", "4.3.5", "how long the kernel busy-polls, in microseconds; 0 is not at all"),
    "hiccup_msg": (114, "frame", "wd", "4.3.5", "the message that is received after a reconnection; '' is none"),
    "xsub_verbose_unsubscribe": (
        115,
        "bool",
        "wd",
        "4.3.5",
        "whether an XSUB sends unsubscriptions that repeat others",
    ),
    "topics_count": (116, "int", "rd", "4.3.5", "how many topics are subscribed to"),
    "norm_mode": (117, "int", "rwd", "4.3.5", "how NORM controls congestion, one of zmq.NORM_FIXED …"),
    "norm_unicast_nack": (118, "bool", "rwd", "4.3.5", "whether NORM receivers complain by unicast"),
    "norm_buffer_size": (119, "int", "rwd", "4.3.5", "NORM's buffer size, in kilobytes"),
    "norm_segment_size": (120, "int", "rwd", "4.3.5", "NORM's segment size, in bytes"),
    "norm_block_size": (121, "int", "rwd", "4.3.5", "NORM's block size, in segments"),
    "norm_num_parity": (122, "int", "rwd", "4.3.5", "how many parity segments NORM may send per block"),
    "norm_num_autoparity": (123, "int", "rwd", "4.3.5", "how many parity segments NORM sends unasked per block"),
    "norm_push": (124, "bool", "rwd", "4.3.5", "whether NORM pushes each message out at once"),
}

#: Other names of options, older or newer, and what they are called above.
ALIASES = {
    "identity": "routing_id",
    "connect_rid": "connect_routing_id",
    "delay_attach_on_connect": "immediate",
    "fail_unroutable": "router_mandatory",
    "router_behavior": "router_mandatory",
    "recovery_ivl_msec": "recovery_ivl",
    "mcast_loop": "multicast_loop",
    "hwm": "sndhwm",
}

#: Options that zsocket has and zsock has not. What zsocket also calls `routing_id` is only `identity` there: its own
#: function of that name is about the peers of a SERVER.
NOT_OF_ZSOCK = frozenset(
    {
        *("routing_id", "connect_routing_id", "fail_unroutable", "router_behavior"),
        *("ipc_filter_pid", "ipc_filter_uid", "ipc_filter_gid"),
        *("busy_poll", "hiccup_msg", "xsub_verbose_unsubscribe", "topics_count"),
        *(name for name in OPTIONS if name.startswith("norm_")),
    }
)

#: kind: (C type that is read, C type that is set, Python type that is read, Python types that are set).
KINDS = {
    "int": ("int ", "int ", "int", "int"),
    "bool": ("int ", "int ", "bool", "int"),
    "int64": ("int ", "int ", "int", "int"),
    "uint64": ("int ", "int ", "int", "int"),
    "uint32": ("int ", "int ", "int", "int"),
    "fd": ("SOCKET ", "", "int", ""),
    "text": ("char *", "const char *", "str", "Text"),
    "clearable": ("char *", "const char *", "str", "Text"),
    "topic": ("", "const char *", "", "Text | Buffer"),
    "binary": ("char *", "const char *", "str", "Text | Buffer"),
    "bytes": ("", "const byte *", "", "Text | Buffer"),
    "frame": ("", "zframe_t *", "", "Frame | Text | Buffer"),
    "key": ("char *", "const char *", "str", "Text"),
    "rawkey": ("", "const byte *", "", "Text | Buffer"),
}


def split(function: str) -> tuple[str, str]:
    """Return the access, r or w, and the option of a function's name: `set_linger` is w and linger."""
    return ("w", function[4:]) if function.startswith("set_") else ("r", function)


def is_function(function: str, class_name: str = "zsocket") -> bool:
    """Tell whether a class has an option function of this name."""
    access, option = split(function)
    row = OPTIONS.get(ALIASES.get(option, option))
    if class_name == "zsock" and (option in NOT_OF_ZSOCK or function == "delay_attach_on_connect"):
        return False
    return row is not None and access in row[2]


def functions(class_name: str = "zsocket") -> list[str]:
    """Return the names of all option functions of a class, each option's getter before its setter."""
    names = [name for option in (*OPTIONS, *ALIASES) for name in (option, f"set_{option}")]
    return [name for name in names if is_function(name, class_name)]


def properties() -> list[str]:
    """Return the names of the options that are attributes of the objects.

    The type is none, for it is fixed, and subscriptions are none, for there may be many.
    """
    return [name for name in (*OPTIONS, *ALIASES) if name not in ("subscribe", "unsubscribe", "type")]


def prototype(function: str, class_name: str = "zsocket") -> str:
    """Return the C prototype of an option function."""
    access, option = split(function)
    read, written = KINDS[OPTIONS[ALIASES.get(option, option)][1]][:2]
    this = "void *self" if class_name == "zsock" else "void *zocket"
    if access == "r":
        return f"{read}{class_name}_{option} ({this})"
    return f"void {class_name}_set_{option} ({this}, {written}{option.replace('_bin', '')})"


def docstring(function: str, class_name: str = "zsocket") -> str:
    """Return the docstring of an option function."""
    access, option = split(function)
    name = ALIASES.get(option, option)
    _, kind, flags, version, meaning = OPTIONS[name]
    verb = "Return " if access == "r" else "" if meaning[0].isupper() else "Set "
    notes = []
    if option == "hwm":
        notes.append("CZMQ 2's name: it is `sndhwm` that is read, and both high-water marks that are set.")
    elif option != name and is_function(name if access == "r" else f"set_{name}", class_name):
        notes.append(f"Another name of `{name if access == 'r' else 'set_' + name}`.")
    if kind in ("topic", "binary", "frame"):
        notes.append("Any bytes will do, NUL bytes too; as str they are UTF-8 with surrogateescape.")
    draft = ", where it was built with its draft API" if "d" in flags else ""
    notes.append("In libzmq 2 only." if name == "swap" else f"In libzmq {version} and later{draft}.")
    return f"{verb}{meaning}.\n\n{' '.join(notes)}\n\nC: ``{prototype(function, class_name)}``\n"
