"""Links and certificates as the roles tell of them in their health files."""

from __future__ import annotations

from typing import Any

from kernel.event import timestamp_from_micros
from kernel.health import RoleHealth, read_health
from kernel.layout import Layout
from soc_ui.services import EndingCertificate, LinkListener, LinkPeer, TrustHealth


class TrustReader:
    """Read anew at each call."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def __call__(self) -> TrustHealth:
        roles = read_health(self._layout.health)
        scheduler = roles.get("scheduler")
        told = scheduler.details if scheduler else {}
        ending = [
            EndingCertificate(
                kind=str(one.get("kind", "")),
                place=str(one.get("place", "")),
                subject=str(one.get("subject", "")),
                not_after=str(one.get("not_after", "")),
                days_left=int(one.get("days_left", 0)),
            )
            for one in told.get("certificates", ())
        ]
        return TrustHealth([*_listeners(roles.get("links")), *_forwarder(roles.get("forward"))], ending, told.get("unreadable", ()))


def _listeners(role: RoleHealth | None) -> list[LinkListener]:
    sources: dict[str, dict[str, Any]] = role.details.get("sources", {}) if role else {}
    alive = role is not None and role.alive
    return [
        LinkListener(
            id=name,
            suite=str(one.get("suite", "")),
            peers=[_peer(peer, facts) for peer, facts in sorted(one.get("peers", {}).items())],
            refused=sum(one.get("refused", {}).values()),
            error=str(one.get("error", "")) if alive else "the links role does not run",
        )
        for name, one in sources.items()
    ]


def _forwarder(role: RoleHealth | None) -> list[LinkListener]:
    """A forwarder of this host: the other end is its only peer."""
    if role is None or not role.alive:
        return []
    link = role.details.get("link", {})
    suite = "" if not link else "tlcp" if link.get("protocol") == "TLCP" else "domestic" if link.get("domestic") else "classic"
    return [LinkListener("forward", suite, [_peer(str(link["peer"]), {**link, "links": 1})] if link else [], 0, role.problem)]


def _peer(name: str, facts: dict[str, Any]) -> LinkPeer:
    expires = float(facts.get("expires", 0))
    return LinkPeer(
        name=name,
        origin=str(facts.get("origin", "")),
        agreed=" ".join(str(facts.get(part, "")) for part in ("protocol", "suite", "group")).strip(),
        domestic=bool(facts.get("domestic")),
        links=int(facts.get("links", 0)),
        not_after=timestamp_from_micros(int(expires * 1_000_000)) if expires else "",
    )
