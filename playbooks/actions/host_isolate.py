"""``liandun-host-isolate``: let a host speak to nobody but the management, for a time.

Gives ``isolated_until`` (UTC) and ``isolate_state``: ``new``, ``longer``, or ``already``: then it is not this run's. The isolation
is tried first: it lasts half a minute, we log in anew, and only then it is made to last. Where the host cannot be reached any more,
it ends by itself and the step fails.
"""

from __future__ import annotations

from operations import clock
from playbooks.actions import isolation, nft
from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.actions.place import There, place_name, there_of
from playbooks.actions.protected import refuse_protected
from playbooks.actions.system_action import SystemAction, run_number
from playbooks.actions.system_parameters import HostIsolateParameters

TRIAL = 30
"""Seconds of the first isolation."""


class HostIsolateAction(SystemAction[HostIsolateParameters]):
    """The action."""

    kind = "liandun-host-isolate"

    def told(self, given: HostIsolateParameters, request: Request) -> Plan:
        host = place_name(request)
        return Plan(f"isolate the host {host} for {given.minutes} min: {given.reason[:120]}", (host,))

    def act(self, given: HostIsolateParameters, request: Request, context: Context) -> dict[str, str]:
        seconds = given.minutes * 60
        place = there_of(request, self.settings, context)
        for one in place.far:
            refuse_protected(one, self.settings.protected, "hosts in protected_networks are never isolated")
        before = isolation.found(place)
        if before is not None and (before.lasts is None or before.lasts >= seconds):
            return _given(before, "already")
        runs = (*(run for run in (before.runs if before else ()) if run != run_number(request)), run_number(request))
        try:
            self._try(place, runs, anew=before is None)
            nft.apply(place, isolation.lasting(runs, seconds))  # in a new connection
            after = isolation.found(place)
        except ActionError as error:
            hint = f"is the platform in [playbooks] management_networks? The isolation ends by itself within {TRIAL} s"
            message = f"isolated, the host cannot be reached any more: {error}"
            raise ActionError(message, hint, code="ISOLATION_UNDONE") from error
        if after is None:
            raise ActionError("the host took the isolation and does not hold it", code="NFT_FAILED")
        return _given(after, "longer" if before else "new")

    def _try(self, place: There, runs: tuple[str, ...], *, anew: bool) -> None:
        """Isolation for the time of a trial; one that lasts already is not made shorter."""
        trial = isolation.isolated(runs, TRIAL) if anew else ()
        nft.apply(place, [*isolation.rules((*self.settings.management, *place.near)), *trial])


def _given(element: nft.Element, state: str) -> dict[str, str]:
    until = "" if element.lasts is None else clock.shift(clock.now(), element.lasts)
    return {"isolated_until": until, "isolate_state": state}
