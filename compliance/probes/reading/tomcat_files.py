"""The folder conf of a Tomcat, or a ZIP of it, as a target: server.xml, web.xml and tomcat-users.xml by their names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

import msgspec

from compliance.hostile_xml import XmlError, elements
from compliance.probes.contract import Source
from compliance.probes.facts import Part
from compliance.probes.formats.tomcat import node
from compliance.probes.reading.folder import files_of
from kernel.errors import LiandunError
from kernel.programs.time_left import TimeLeft

_FILES: dict[str, tuple[str, frozenset[str], frozenset[str]]] = {
    "server.xml": ("server", frozenset({"Server"}), frozenset({"Server"})),
    "web.xml": ("web", frozenset({"servlet", "session-config", "filter", "error-page"}), frozenset({"web-app"})),
    "tomcat-users.xml": ("users", frozenset({"user", "role"}), frozenset({"tomcat-users"})),
}
"""Part, elements that are kept, and the element that the file begins with, by the name of the file."""


class TomcatFiles(msgspec.Struct, frozen=True):
    """``path``: a folder or a ZIP. Secrets are taken out while it is read."""

    name: str
    path: Path
    sources: tuple[Source, ...] = ("tomcat",)

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        """Raises LiandunError: none of the files is there, or one twice."""
        found: dict[str, Part] = {}
        for name, octets in files_of(self.path):
            time_left.left()
            file = PurePosixPath(name).name
            if file not in _FILES:
                continue
            part, wanted, roots = _FILES[file]
            if part in found:
                raise LiandunError(f"{self.path.name} holds {file} twice", "hand in the folder conf of one Tomcat")
            found[part] = _part(octets, wanted, roots, name)
        if not found:
            raise LiandunError(f"{self.path.name} holds none of {', '.join(_FILES)}", "hand in the folder conf of a Tomcat")
        return found


def _part(octets: bytes, wanted: frozenset[str], roots: frozenset[str], name: str) -> Part:
    try:
        nodes = [node(one) for one in elements(octets, wanted, roots)]
    except XmlError as error:
        return Part("", error.message, name)
    except ValueError as error:
        return Part("", str(error), name)
    # an account is none where there is no file; a file without accounts says that there are none
    return Part(msgspec.json.encode(nodes).decode(), how=name)
