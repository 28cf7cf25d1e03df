"""Rights over the whole host are for administrators."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.secedit import right
from compliance.probes.formats.windows import EVERYBODY

_STRICT = ("SeTakeOwnershipPrivilege", "SeDebugPrivilege", "SeRemoteShutdownPrivilege", "SeBackupPrivilege", "SeRestorePrivilege",
           "SeLoadDriverPrivilege",
           "SeTcbPrivilege", "SeCreateTokenPrivilege", "SeRemoteInteractiveLogonRight")  # fmt: skip
_NAMES = ("Everyone", "Users", "Guests", "Authenticated Users")


def _judge(facts: Facts) -> Judgement:
    bad = [f"{name}: {who}" for name in _STRICT for who in right(facts, name) if who in EVERYBODY or who in _NAMES]
    whole = [f"{name}: {who}" for name in ("SeTcbPrivilege", "SeCreateTokenPrivilege") for who in right(facts, name)]
    weak = [one for one in whole if one not in bad]
    weak += [f"SeNetworkLogonRight: {who}" for who in right(facts, "SeNetworkLogonRight") if who in ("S-1-1-0", "Everyone")]
    return judgement(bad, weak, [f"{name}: {', '.join(right(facts, name))}" for name in _STRICT if right(facts, name)])


PROBE = Probe(
    id="windows.rights.privileges",
    way="host.sudoers",
    source="windows",
    items=("8.1.4.2.d",),
    units=("6.3.3",),
    reads=("policy",),
    title=Text("User rights", "用户权限分配"),
    criterion=Text("rights over the whole host are given to nobody who is everybody", "关键用户权限未授予人人都在的组"),
    to_be_confirmed=True,
    reproduce="secedit /export /cfg secpol.inf /areas USER_RIGHTS",
    judge=_judge,
)
