"""XML of who knows whom, piece by piece: no document type, hence no entities and nothing from outside; bounded in depth and number.

Only the elements that are asked for become objects, each with the octets that it stood in; what is around them is passed over, so a
file of some hundred MiB takes little memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

import msgspec

from kernel.errors import LiandunError

DEEPEST = 128
MOST_EXCERPT = 4_000
"""Letters of an element that are kept as they stood."""
MOST_ELEMENTS, MOST_TEXT, MOST_INSIDE = 20_000_000, 1 << 20, 5_000
_CHUNK = 1 << 20
_TAG = re.compile(rb"<(?:\"[^\"]*\"|'[^']*'|[^\"'>])*>")


class XmlError(LiandunError):
    """It is no XML, or none that is taken."""


class Element(msgspec.Struct):
    """An element without its namespace. ``around``: the elements that it stands in, by name, with their attributes only."""

    name: str
    attributes: dict[str, str]
    around: dict[str, dict[str, str]]
    text: str = ""
    inside: list[Element] = msgspec.field(default_factory=list)
    excerpt: str = ""

    def all(self, name: str) -> list[Element]:
        """Its children of a name."""
        return [one for one in self.inside if one.name == name]

    def said(self, name: str) -> str:
        """The text of its first child of a name, "" without one."""
        found = self.all(name)
        return found[0].text.strip() if found else ""


def elements(octets: bytes, wanted: frozenset[str], roots: frozenset[str]) -> Iterator[Element]:
    """Each element of a wanted name, as it ends. Raises XmlError: no XML, another root, a document type, too deep, too much."""
    reader = _Reader(octets, wanted, roots)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = lambda name, attributes: reader.begin(name, attributes, parser.CurrentByteIndex)
    parser.EndElementHandler = lambda name: reader.end(parser.CurrentByteIndex)
    parser.CharacterDataHandler = reader.text
    try:
        for start in range(0, len(octets), _CHUNK):
            parser.Parse(octets[start : start + _CHUNK], False)
            yield from reader.taken()
        parser.Parse(b"", True)
        yield from reader.taken()
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise XmlError(f"it is no XML: {error}") from error


def _refuse(*_: object) -> None:
    raise XmlError("it has a document type: what that may declare is not read", "take it out, where the file is yours")


class _Reader:
    def __init__(self, octets: bytes, wanted: frozenset[str], roots: frozenset[str]) -> None:
        self._octets, self._wanted, self._roots = octets, wanted, roots
        self._encoding = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(octets[:2], "utf-8")
        self._around: list[tuple[str, dict[str, str]]] = []
        self._open: list[tuple[Element, int]] = []
        self._done: list[Element] = []
        self._count = self._inside = self._letters = 0

    def begin(self, name: str, attributes: dict[str, str], at: int) -> None:
        local = name.rpartition(" ")[2]
        if not self._around and local not in self._roots:
            raise XmlError(f"it begins with {local[:60]}", f"expected: {', '.join(sorted(self._roots))}")
        self._count += 1
        if len(self._around) >= DEEPEST or self._count > MOST_ELEMENTS:
            raise XmlError("it is too deep or has too many elements", f"limits: {DEEPEST} and {MOST_ELEMENTS:,}")
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        if self._open or local in self._wanted:
            self._inside = self._inside + 1 if self._open else 0
            self._letters = self._letters if self._open else 0
            if self._inside > MOST_INSIDE:
                raise XmlError(f"an element {self._open[0][0].name} holds more than {MOST_INSIDE:,} others")
            around = {} if self._open else dict(self._around)
            self._open.append((Element(local, plain, around), at))
        self._around.append((local, plain))

    def text(self, said: str) -> None:
        if self._open:
            self._letters += len(said)
            if self._letters > MOST_TEXT:
                raise XmlError(f"an element {self._open[0][0].name} is longer than {MOST_TEXT:,} letters")
            self._open[-1][0].text += said

    def end(self, at: int) -> None:
        self._around.pop()
        if not self._open:
            return
        element, start = self._open.pop()
        if self._open:
            self._open[-1][0].inside.append(element)
            return
        tag = _TAG.match(self._octets, start if at == start else at)
        ended = (tag.end() if tag else at) + (self._encoding == "utf-16-le")  # the > is two octets there
        element.excerpt = self._octets[start : min(ended, start + 4 * MOST_EXCERPT)].decode(self._encoding, "replace")[
            :MOST_EXCERPT
        ]
        self._done.append(element)

    def taken(self) -> list[Element]:
        done, self._done = self._done, []
        return done
