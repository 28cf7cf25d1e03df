"""``bash`` (CACAO 2.0, 5.3): a script on the platform's own machine, in a sandbox, and only where the configuration says so.

Values for out_args are those of ``ssh``.
"""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.actions.sandbox import run_script
from playbooks.actions.settings import Settings
from playbooks.actions.ssh import values
from playbooks.variables import Value

_LONGEST = 100_000


class Bash:
    """The action."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def plan(self, request: Request) -> Plan:
        """The script. Raises ActionError(NOT_ALLOWED) where scripts are switched off."""
        script = request.command.text()
        if not self._settings.bash:
            raise ActionError("scripts are switched off here", "[playbooks] bash, or a person as agent", code="NOT_ALLOWED")
        if "\0" in script or len(script.encode()) > _LONGEST:
            raise ActionError("a script is text of at most 100,000 bytes", code="COMMAND_WRONG")
        return Plan(f"run in the sandbox: {script}")

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        """Run it. Raises ActionError."""
        self.plan(request)
        return values(request, run_script(request.command.text(), context))
