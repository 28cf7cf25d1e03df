"""``liandun-sinkhole-add``: have a DNS server answer a name, and all names below it, with the sinkhole's addresses.

Gives ``diverted`` (the name) and ``divert_state``: ``new``, or ``already``. A DNS server knows no time: the undo step ends it.
"""

from __future__ import annotations

from playbooks.actions.contract import Context, Plan, Request
from playbooks.actions.domains import divertible
from playbooks.actions.place import place_name, there_of
from playbooks.actions.settings import Settings
from playbooks.actions.sinkhole_file import Diversion, put
from playbooks.actions.system_action import SystemAction, run_number
from playbooks.actions.system_parameters import SinkholeAddParameters, SinkholeRemoveParameters


class SinkholeAddAction(SystemAction[SinkholeAddParameters]):
    """The action."""

    kind = "liandun-sinkhole-add"

    def told(self, given: SinkholeAddParameters, request: Request) -> Plan:
        name, where = diversion(given, self.settings).domain, place_name(request)
        to = ", ".join(self.settings.sinkhole) or "no such name"
        return Plan(f"answer {name} with {to} at {where} ({given.server}): {given.reason[:120]}", (name, where))

    def act(self, given: SinkholeAddParameters, request: Request, context: Context) -> dict[str, str]:
        wanted = diversion(given, self.settings)
        state = put(there_of(request, self.settings, context), wanted, run_number(request))
        return {"diverted": wanted.domain, "divert_state": state}


def diversion(given: SinkholeAddParameters | SinkholeRemoveParameters, settings: Settings) -> Diversion:
    """What the parameters mean under these settings. Raises ActionError."""
    name = divertible(given.domain, settings.protected_domains)
    return Diversion(name, settings.sinkhole, given.server, settings.dns[given.server])
