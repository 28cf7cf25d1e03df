"""What more than one section asks of a value: names of sources, prefixes of networks."""

from __future__ import annotations

import ipaddress
import re


def is_name(text: str) -> bool:
    """Whether a source or listener may be called so."""
    return re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", text) is not None


def is_network(text: str) -> bool:
    """Whether it is a prefix of IPv4 or IPv6 without host bits."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True
