"""Where an HTTP command goes: out of the addresses of a target, and only where the platform may reach (operations.webhooks.guard).

A name is resolved once and the connection goes to exactly the address that was allowed, so a name that changes its answer between
check and use (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from operations.webhooks.guard import Network, permitted
from playbooks.actions.contract import ActionError, Destination
from playbooks.model import Party
from playbooks.vault.hosts import all_normal, covers

_TLS_PORTS = frozenset({443, 8443})
_REFUSED = "allow its network in the configuration"


class Endpoint(NamedTuple):
    """A server as a playbook names it. ``path``: what every request target begins with."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """Host and port as they stand in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    def url(self, target: str) -> str:
        """The whole URL, for people."""
        return f"{self.scheme}://{self.netloc}{self.path}{target}"


class Reach:
    """Networks that commands may go to beside the public internet over TLS, and hosts that may be asked without TLS."""

    def __init__(self, allow: tuple[str, ...] = (), plain: tuple[str, ...] = ()) -> None:
        """
        allow  networks such as ``10.1.2.0/24``
        plain  hosts as playbooks.vault.hosts writes them (``cam.example.cn:8080``) that may be asked without TLS, where they lie in
               one of these networks

        Raises ValueError for what is none.
        """
        self._allow: list[Network] = [ipaddress.ip_network(network) for network in allow]
        self._plain = all_normal(plain)
        self._anything = False

    @classmethod
    def anywhere(cls) -> Reach:
        """For a person at a terminal, who answers for it all."""
        reach = cls(("0.0.0.0/0", "::/0"))
        reach._anything = True
        return reach

    def addresses(self, endpoint: Endpoint) -> list[str]:
        """The addresses of a server that may be connected to. Raises ActionError."""
        if endpoint.scheme != "https" and not (self._anything or covers(self._plain, Destination(endpoint.host, endpoint.port))):
            hint = "ask it by https://, or list it in [playbooks] plain_hosts"
            raise ActionError(f"{endpoint.netloc} may not be asked without TLS", hint, code="NOT_ALLOWED")
        try:
            found = [ipaddress.ip_address(endpoint.host)]
        except ValueError:
            found = self._looked_up(endpoint)
        allowed = [str(address) for address in found if permitted(address, endpoint.scheme, self._allow)]
        if not allowed:
            shown = endpoint.host if str(found[0]) == endpoint.host else f"{endpoint.host} ({found[0]})"
            raise ActionError(
                f"{shown} may not be connected to: it is no public address, or asked for without TLS", _REFUSED, code="NOT_ALLOWED"
            )
        return allowed

    def listed(self, endpoint: Endpoint) -> list[str]:
        """Those of its addresses that lie in a network of the configuration: where a login goes, the public internet counts for
        nothing. Raises ActionError."""
        try:
            found = [ipaddress.ip_address(endpoint.host)]
        except ValueError:
            found = self._looked_up(endpoint)
        allowed = [str(address) for address in found if permitted(address, "", self._allow)]
        if not allowed:
            shown = endpoint.host if str(found[0]) == endpoint.host else f"{endpoint.host} ({found[0]})"
            raise ActionError(f"{shown} is in no network that playbooks may log in to", _REFUSED, code="NOT_ALLOWED")
        return allowed

    @staticmethod
    def _looked_up(endpoint: Endpoint) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        try:
            answers = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ActionError(f"{endpoint.host} has no address: {error}", again=True) from error
        return [ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers]


def endpoints(party: Party | None) -> list[Endpoint]:
    """The servers of a target, in the order in which they are tried: URLs, names, IPv6 and IPv4 addresses. Raises ActionError."""
    if party is None or not party.address:
        raise ActionError("the command has no target with an address", "give the step a target of the type http-api")
    found = list(_endpoints(party))
    if not found:
        raise ActionError("the target has no address that HTTP can go to", "give it one under url, dname, ipv4 or ipv6")
    return found


def host_endpoints(party: Party | None, port: int) -> list[Endpoint]:
    """The hosts of a target, all over TLS: URLs of https, names, IPv6 and IPv4 addresses, where nothing is said at ``port``.

    Raises ActionError(COMMAND_WRONG).
    """
    if party is None or not party.address:
        raise ActionError("the command has no target with an address", "name the host by dname, ipv4 or ipv6", code="COMMAND_WRONG")
    port = _port(party.port) if party.port else port
    found = [_of_url(url, 0) for url in party.address.get("url", ())]
    if any(one.scheme != "https" for one in found):
        raise ActionError("a login goes over TLS only", "name it by https://", code="COMMAND_WRONG")
    for kind in ("dname", "ipv6", "ipv4"):
        found += [Endpoint("https", host.strip("[]"), port, "") for host in party.address.get(kind, ())]
    if not found or any(not one.host or not one.host.isprintable() or set(one.host) & set(" /@%?#") for one in found):
        raise ActionError("the target has no address of a host", "name it by dname, ipv4 or ipv6", code="COMMAND_WRONG")
    return found


def _endpoints(party: Party) -> Iterator[Endpoint]:
    port = _port(party.port) if party.port else 0
    for url in party.address.get("url", ()):
        yield _of_url(url, port)
    scheme = "https" if port in _TLS_PORTS else "http"
    for kind in ("dname", "ipv6", "ipv4"):
        for host in party.address.get(kind, ()):
            yield Endpoint(scheme, host.strip("[]"), port or 80, "")


def _of_url(url: str, port: int) -> Endpoint:
    try:
        parts = urlsplit(url)
        given = parts.port
    except ValueError as error:
        raise ActionError(f"the address {url!r} cannot be read: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable() or " " in url:
        raise ActionError(f"the address {url!r} is no http or https URL")
    if parts.username is not None or parts.query or parts.fragment:
        raise ActionError(f"the address {url!r} must not carry a user, a query or a fragment")
    return Endpoint(parts.scheme, parts.hostname, given or port or (443 if parts.scheme == "https" else 80), parts.path.rstrip("/"))


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5 or not 0 < int(text) < 65536:
        raise ActionError(f"the port {text[:20]!r} is none")
    return int(text)
