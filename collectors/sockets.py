"""Listening sockets, IPv4 and IPv6 on one, and what Linux knows of them: drops of a UDP socket, bytes taken of a TCP one."""

from __future__ import annotations

import array
import fcntl
import socket
import struct
import termios

TCP_RECEIVE_BUFFER = 1 << 20
"""Bytes per connection. An incomplete message stays in the kernel, and the kernel charges the whole segment it came in (64 KiB and
more over loopback or with GRO) until its last byte is taken; with the small default buffer the window would close for good."""

_SO_RCVBUFFORCE = 33
_SO_MEMINFO = 55  # Linux ≥ 4.12: nine u32, the last one is the number of datagrams dropped
_CLOSE_WAIT, _LAST_ACK, _CLOSING, _TIME_WAIT = 8, 9, 11, 6


def listen_udp(host: str, port: int, receive_buffer: int = 64 << 20) -> socket.socket:
    """Bound UDP socket. ``host`` "" or "::" takes IPv4 and IPv6. ``receive_buffer`` in bytes (the kernel may grant less)."""
    bound = _bind(host, port, socket.SOCK_DGRAM)
    set_receive_buffer(bound, receive_buffer)
    return bound


def listen_tcp(host: str, port: int, backlog: int = 512) -> socket.socket:
    """Listening TCP socket. ``host`` "" or "::" takes IPv4 and IPv6."""
    bound = _bind(host, port, socket.SOCK_STREAM)
    set_receive_buffer(bound, TCP_RECEIVE_BUFFER)
    bound.listen(backlog)
    return bound


def set_receive_buffer(bound: socket.socket, size: int) -> None:
    """Bytes that the kernel keeps for the socket; it may grant less to those who are not root."""
    try:
        bound.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)
    except PermissionError:  # only root may pass net.core.rmem_max
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def _bind(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    both = host in ("", "::")
    family = socket.AF_INET6 if both and socket.has_ipv6 else socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, kind)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if both else 1)
        bound.bind(("::" if both and family == socket.AF_INET6 else host, port))
    except OSError:
        bound.close()
        raise
    return bound


def origin_of(address: tuple[object, ...]) -> str:
    """``192.0.2.7:514`` or ``[2001:db8::7]:514``; an IPv4 address that came through an IPv6 socket is shown as IPv4."""
    host, port = str(address[0]), address[1]
    host = host.removeprefix("::ffff:") if "." in host else host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def datagrams_dropped(bound: socket.socket) -> int | None:
    """How many datagrams the kernel dropped on this socket since it was opened (buffer full); None where it does not tell."""
    try:
        info = bound.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36)
    except OSError:
        return None
    return int(struct.unpack("=9I", info)[8]) if len(info) == 36 else None


def bytes_taken(connected: socket.socket) -> int:
    """How many bytes of a TCP connection have been read out of the kernel since it was opened, by whichever process.

    Received in order (``tcpi_bytes_received``, Linux ≥ 4.1, RFC 4898) minus still waiting (FIONREAD). The kernel counts the
    peer's FIN as one byte received.
    """
    while True:
        state, received = _received(connected)
        waiting = array.array("i", [0])
        fcntl.ioctl(connected, termios.FIONREAD, waiting)
        if _received(connected) == (state, received):
            fin = 1 if state in (_CLOSE_WAIT, _LAST_ACK, _CLOSING, _TIME_WAIT) else 0
            return max(0, received - fin - waiting[0])


def _received(connected: socket.socket) -> tuple[int, int]:
    """TCP state and tcpi_bytes_received (u64 at offset 128 of struct tcp_info)."""
    info = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)
    if len(info) < 136:
        raise OSError("this kernel's TCP_INFO does not count received bytes (Linux 4.1 or later needed)")
    return info[0], struct.unpack_from("=Q", info, 128)[0]
