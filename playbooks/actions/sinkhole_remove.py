"""``liandun-sinkhole-remove``: answer a name as before. Gives ``undiverted``: ``true`` where it is not diverted by us any more.

Without ``force`` it ends what this very run diverted, and nothing else.
"""

from __future__ import annotations

from playbooks.actions.contract import Context, Plan, Request
from playbooks.actions.place import place_name, there_of
from playbooks.actions.sinkhole_add import diversion
from playbooks.actions.sinkhole_file import take_away
from playbooks.actions.system_action import SystemAction, run_number
from playbooks.actions.system_parameters import SinkholeRemoveParameters


class SinkholeRemoveAction(SystemAction[SinkholeRemoveParameters]):
    """The action."""

    kind = "liandun-sinkhole-remove"

    def told(self, given: SinkholeRemoveParameters, request: Request) -> Plan:
        name, where = diversion(given, self.settings).domain, place_name(request)
        whose = "whoever diverted it" if given.force else "if this run diverted it"
        return Plan(f"answer {name} as before at {where} ({given.server}), {whose}", (name, where))

    def act(self, given: SinkholeRemoveParameters, request: Request, context: Context) -> dict[str, str]:
        place = there_of(request, self.settings, context)
        state = take_away(place, diversion(given, self.settings), run_number(request), force=given.force)
        return {"undiverted": "false" if state == "others" else "true"}
