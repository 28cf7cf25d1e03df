"""Configuration of Tomcat: elements of server.xml, web.xml and tomcat-users.xml, without their secrets.

``***default***`` stands for a password that everybody knows, ``***clear***`` for another one as it is typed, ``***hashed***`` for
what only shows that somebody knows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from compliance.hostile_xml import Element
from compliance.probes.facts import Facts, Unreadable

_SECRET = re.compile(r"(?i)pass|pwd|secret(?!Required)|credentials\Z|\Akey\Z")
_DEFAULT = frozenset(
    {"tomcat", "s3cret", "admin", "password", "manager", "role1", "both", "123456", "changeit", "must-be-changed", ""}
)
_HASHED = re.compile(r"(?:[0-9a-fA-F]{16,}\$[0-9]+\$)?[0-9a-fA-F]{32,}|\{(?:S?SHA|MD5)[^}]*\}.+|\$[a-z0-9]+\$.+")
_DEEPEST = 40


class Node(msgspec.Struct, frozen=True):
    """An element; ``text`` of those without others inside."""

    name: str
    attributes: dict[str, str] = {}
    inside: tuple[Node, ...] = ()
    text: str = ""

    def get(self, name: str, otherwise: str = "") -> str:
        """An attribute."""
        return self.attributes.get(name, otherwise)

    def shown(self) -> str:
        """Its tag, for people."""
        return f"<{self.name}{''.join(f' {key}={value!r}' for key, value in self.attributes.items())}>"[:300]

    def all(self, *names: str) -> Iterator[Node]:
        """Itself and those inside, at any depth, that have one of these names."""
        if self.name in names:
            yield self
        for one in self.inside:
            yield from one.all(*names)

    def said(self, name: str) -> str:
        """The text of the first child of a name."""
        return next((one.text for one in self.inside if one.name == name), "")


def node(element: Element, depth: int = 0) -> Node:
    """An element without secrets. Raises ValueError where it is too deep."""
    if depth > _DEEPEST:
        raise ValueError("elements are too deep")
    attributes = {key: _hidden(value) if _SECRET.search(key) else value for key, value in element.attributes.items()}
    return Node(element.name, attributes, tuple(node(one, depth + 1) for one in element.inside), element.text.strip()[:2_000])


def tree(facts: Facts, part: str) -> list[Node]:
    """Elements of a file. Raises Unreadable where there are none."""
    found = facts.rows(part, list[Node])
    if not found:
        raise Unreadable(f"{part} holds nothing of Tomcat", f"{part} 中没有 Tomcat 配置")
    return found


def server(facts: Facts) -> Node:
    """The element Server. Raises Unreadable."""
    return tree(facts, "server")[0]


def connectors(facts: Facts) -> list[Node]:
    """All of them. Raises Unreadable where there are none."""
    found = list(server(facts).all("Connector"))
    if not found:
        raise Unreadable("server.xml has no Connector", "server.xml 中没有 Connector")
    return found


def is_loopback(connector: Node) -> bool:
    """Whether only the host itself may come to it. AJP without an address is on the loopback since 9.0.31, but not before."""
    return connector.get("address") in ("127.0.0.1", "::1", "localhost", "[::1]")


def is_ajp(connector: Node) -> bool:
    """Whether it speaks AJP."""
    return "ajp" in connector.get("protocol").lower()


def is_tls(connector: Node) -> bool:
    """Whether it is sealed."""
    return connector.get("SSLEnabled").lower() == "true"


def _hidden(value: str) -> str:
    if value.startswith("${"):
        return value  # a name of a property, not the secret
    if value.lower() in _DEFAULT:
        return "***default***"
    return "***hashed***" if _HASHED.fullmatch(value) else "***clear***"
