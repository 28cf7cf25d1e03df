"""Where a webhook may connect to (server-side request forgery, OWASP API7:2023).

Only addresses of the public internet, unless the configuration allows a network: otherwise whoever may enter a URL could reach
cloud metadata (169.254.169.254, 100.100.100.200), databases and devices behind the console. The name is resolved once and the
connection goes to exactly that address, so a name that changes its answer between check and use (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from kernel.errors import LiandunError
from kernel.public_addresses import Address, destination, is_public
from operations.errors import Invalid

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL = 2048


class Refused(LiandunError):
    """The target may not be connected to."""


class WebhookPolicy(msgspec.Struct, frozen=True):
    """Limits of sending.

    allow         networks outside the public internet that may be reached, e.g. ``("10.1.2.0/24", "fd00:5::/64")``; plain http
                  is allowed only there
    deadline      seconds for one attempt, everything included
    max_answer    bytes of an answer that are read and kept
    max_attempts  after so many failures a delivery is dead (about 19 h with the waits of sender.WAITS)
    """

    allow: tuple[str, ...] = ()
    deadline: float = 10.0
    max_answer: int = 2048
    max_attempts: int = 9

    def networks(self) -> list[Network]:
        """``allow`` as networks; raises ValueError for what is none."""
        return [ipaddress.ip_network(network) for network in self.allow]


SECURE = ("https", "tls", "smtp", "smtps")
"""Schemes that send nothing before TLS stands (``smtp``: STARTTLS is demanded), so that they may go to the public internet."""


def check_url(url: str, policy: WebhookPolicy) -> None:
    """Refuse a URL that can never be sent to. Raises Invalid. (A name is looked up only when sending.)"""
    check_address(url, ("https", "http"), policy)


def check_address(url: str, schemes: tuple[str, ...], policy: WebhookPolicy) -> None:
    """check_url for other schemes, the wanted one first."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Invalid("the URL cannot be read", str(error), field="url") from error
    if parts.scheme not in schemes or not parts.hostname or len(url) > MAX_URL or port == 0:
        raise Invalid(f"this needs a URL that begins with {schemes[0]}://", field="url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid("the URL must not carry a user, a password or a fragment", field="url")
    if any(ord(character) <= 32 or ord(character) == 127 for character in url):
        raise Invalid("the URL holds blanks or control characters", field="url")
    try:
        address = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return
    if not _allowed(address, parts.scheme, policy):
        raise Invalid(
            f"{address} is not a public address, or is asked for without TLS", "allow its network in the configuration", field="url"
        )


async def resolve(host: str, port: int, scheme: str, policy: WebhookPolicy) -> str:
    """The address to connect to. Raises Refused where the name has no address that may be reached."""
    try:
        answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused(f"{host} has no address: {error}") from error
    addresses = [ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers]
    for address in addresses:
        if _allowed(address, scheme, policy):
            return str(address)
    raise Refused(
        f"{host} is {addresses[0]}: not a public address, or asked for without TLS", "allow its network in the configuration"
    )


def permitted(address: Address, scheme: str, allow: Sequence[Network]) -> bool:
    """Whether ``address`` may be connected to: in a network of ``allow``, or with TLS anywhere in the public internet."""
    inner = destination(address)
    if any(candidate in network for network in allow for candidate in (address, inner)):
        return True
    return scheme in SECURE and is_public(address)


def _allowed(address: Address, scheme: str, policy: WebhookPolicy) -> bool:
    return permitted(address, scheme, policy.networks())
