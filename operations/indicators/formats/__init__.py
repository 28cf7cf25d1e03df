"""Files of indicators as candidates, one after the other; what cannot be read is told with its place and does not stop the rest.

lines   one value a line; ``#`` begins a remark
table   CSV with our columns
stix    a bundle of STIX 2.1 (OASIS), the indicators within
misp    events of MISP (core format), the attributes that are meant for detection
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from operations.errors import Invalid
from operations.indicators.formats import lines, misp, stix, table
from operations.indicators.schema import Candidate, Refused

READERS: dict[str, Callable[[BinaryIO], Iterator[Candidate | Refused]]] = {
    "lines": lines.read,
    "table": table.read,
    "stix": stix.read,
    "misp": misp.read,
}


def read(form: str, file: BinaryIO) -> Iterator[Candidate | Refused]:
    """Raises Invalid for a form that is none, and where a file as a whole is not of its form."""
    if form not in READERS:
        raise Invalid(f"there is no form {form[:20]!r}", f"one of {', '.join(READERS)}", field="form")
    return READERS[form](file)


def form_of(file_name: str, beginning: bytes) -> str:
    """The likely form of a file: its name, else how it begins."""
    head = beginning.lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:1] in (b"{", b"["):
        return "stix" if b'"bundle"' in beginning[:4096] or b'"spec_version"' in beginning[:4096] else "misp"
    named = file_name.lower().endswith(".csv") or head[:64].lower().startswith((b"value,", b"kind,"))
    return "table" if named else "lines"
