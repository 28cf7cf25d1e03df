"""Whether the ports that the configuration names can be had."""

from __future__ import annotations

import socket

from cli.finding import Finding
from kernel.config import Config


def link_ports(config: Config) -> list[Finding]:
    """The listeners of [[links.listener]]."""
    return [
        port_finding(f"link {one.id}"[:12], {"::": ""}.get(one.host, one.host), one.port, socket.SOCK_STREAM, f" ({one.suite})")
        for one in config.links.listener
    ]


def port_finding(name: str, host: str, port: int, kind: socket.SocketKind, more: str = "") -> Finding:
    """Tried by binding it."""
    shown = f"port {port}/{'udp' if kind == socket.SOCK_DGRAM else 'tcp'} on {host or 'all addresses'}{more}"
    family = socket.AF_INET6 if ":" in host or not host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1 if kind == socket.SOCK_STREAM else 0)
        try:
            probe.bind((host or "::", port))
        except PermissionError:
            return Finding(
                name, "warn", f"{shown}: this account may not open ports below 1024", "choose a higher port or run as a service"
            )
        except OSError as error:
            hint = "Liandun itself may be running; else choose another port in the configuration"
            return Finding(name, "warn", f"{shown}: {error.strerror}", hint)
    return Finding(name, "ok", f"{shown} is free")
