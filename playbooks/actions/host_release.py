"""``liandun-host-release``: end the isolation of a host before its time. Gives ``released``: ``true`` where it is not isolated.

Without ``force`` it ends what this very run isolated, and nothing else.
"""

from __future__ import annotations

from playbooks.actions import isolation, nft
from playbooks.actions.contract import Context, Plan, Request
from playbooks.actions.place import place_name, there_of
from playbooks.actions.system_action import SystemAction, run_number
from playbooks.actions.system_parameters import HostReleaseParameters


class HostReleaseAction(SystemAction[HostReleaseParameters]):
    """The action."""

    kind = "liandun-host-release"

    def told(self, given: HostReleaseParameters, request: Request) -> Plan:
        host = place_name(request)
        whose = "whoever began it" if given.force else "if this run began it"
        return Plan(f"end the isolation of the host {host}, {whose}", (host,))

    def act(self, given: HostReleaseParameters, request: Request, context: Context) -> dict[str, str]:
        place = there_of(request, self.settings, context)
        element = isolation.found(place)
        if element is not None:
            others = tuple(one for one in element.runs if one != run_number(request))
            if given.force or not others:
                nft.apply(place, isolation.released())
            elif len(others) < len(element.runs):
                nft.apply(place, isolation.isolated(others, element.timeout or element.lasts or 1, element.lasts))
            element = isolation.found(place)
        return {"released": "false" if element else "true"}
