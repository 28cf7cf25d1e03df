"""Folders are shared only where they are needed, and not to everybody."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.windows import EVERYBODY, Service, Share, rows

_NAMES = ("Everyone", "ANONYMOUS LOGON")


def _judge(facts: Facts) -> Judgement:
    shares = facts.rows("shares", list[Share])
    if not shares and _is_server(facts):
        raise Unreadable("the server for shares runs, but not even IPC$ is listed", "共享服务在运行，却连 IPC$ 也未列出")
    bad = [one.name for one in shares if one.is_special and one.path and one.name.endswith("$") and one.name != "print$"]
    weak: list[str] = []
    for share in shares:
        for grant in share.grants:
            if grant.who in EVERYBODY or grant.who in _NAMES:
                (weak if grant.right == "Read" else bad).append(f"{share.name}: {grant.who} {grant.right}")
    return judgement(bad, weak, [one.name for one in shares] or [Text("nothing is shared", "没有共享")])


def _is_server(facts: Facts) -> bool:
    """Whether the service that always shares IPC$ runs."""
    return any(one.name.lower() == "lanmanserver" and one.state == "Running" for one in rows(facts, "services", Service))


PROBE = Probe(
    id="windows.services.shares",
    way="host.services",
    source="windows",
    items=("8.1.4.4.b",),
    reads=("shares", "services"),
    title=Text("Shares", "共享"),
    criterion=Text(
        "default shares (C$, ADMIN$) are off, and no share is open to everybody", "默认共享（C$、ADMIN$）已关闭，且无人人可用的共享"
    ),
    reproduce="net share; Get-SmbShare | Get-SmbShareAccess",
    judge=_judge,
)
