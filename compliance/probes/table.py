"""All probes as a table for people (docs/compliance.md)."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.probes.contract import Probe, Source
from compliance.probes.registry import of_source

_HEADS: dict[Source, str] = {
    "linux": "Linux hosts",
    "windows": "Windows hosts",
    "network_device": "Network devices (Huawei, H3C, Cisco-like)",
    "postgresql": "PostgreSQL and Kingbase",
    "mysql": "MySQL and MariaDB",
    "dm": "DM 8",
    "redis": "Redis",
    "nginx": "nginx",
    "tomcat": "Tomcat",
    "ldap": "Directories (LDAP)",
    "tls": "TLS and TLCP endpoints",
    "cloud": "Accounts at Alibaba Cloud and Huawei Cloud",
    "platform": "The platform itself",
}


def markdown() -> str:
    """One table for each kind of source; ✎ marks a criterion that is to be confirmed."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for source, head in _HEADS.items():
        found = of_source(source)
        yield f"\n**{head}** ({len(found)})\n"
        yield "| probe | items; units of GB/T 39786 | 何时符合 | met when |"
        yield "|---|---|---|---|"
        yield from map(_row, found)


def _row(probe: Probe) -> str:
    where = " ".join(probe.items) + (f"; {' '.join(probe.units)}" if probe.units else "")
    mark = " ✎" if probe.to_be_confirmed else ""
    return f"| `{probe.id}` {probe.title.zh} | {where} | {_cell(probe.criterion.zh)} | {_cell(probe.criterion.en)}{mark} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
