"""``ssh`` (CACAO 2.0, 5.12): a command that the shell of the target reads, as the user of the target's login.

Success is exit code 0. Values for out_args: ``__stdout__``, ``__stderr__`` and ``__exit_code__``, and where a step wants exactly
one value, what the command said.
"""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.actions import ssh_client, ssh_host
from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.actions.own import outputs
from playbooks.actions.process import Finished
from playbooks.actions.settings import Settings
from playbooks.variables import LONGEST_VALUE, Value


class Ssh:
    """The action."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def plan(self, request: Request) -> Plan:
        """``user@host: command``. Raises ActionError."""
        hosts = [host.shown() for host in ssh_host.named(request.target)]
        user = request.authentication.username or request.authentication.user_id if request.authentication else ""
        return Plan(f"{user or '?'}@{hosts[0]}: {request.command.text()}", tuple(hosts))

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        """Do it. Raises ActionError."""
        known_hosts = self._settings.known_hosts
        hosts = ssh_host.known(request.target, known_hosts, context)
        assert known_hosts is not None
        login = ssh_client.login_of(request.authentication, hosts, context)
        return values(request, ssh_client.execute(hosts, login, known_hosts, request.command.text(), context))


def values(request: Request, finished: Finished) -> dict[str, Value]:
    """What a program said, for out_args. Raises ActionError(COMMAND_FAILED) where its exit code is not 0."""
    if finished.code != 0:
        raise ActionError(f"exit code {finished.code}: {finished.said() or 'it said nothing'}", code="COMMAND_FAILED")
    said, complained = _text(finished.output), _text(finished.errors)
    found = outputs(request, {"stdout": said, "stderr": complained, "exit_code": str(finished.code)})
    if not found and len(request.out_args) == 1:
        return {request.out_args[0]: said}
    return found


def _text(octets: bytes) -> str:
    """As variables hold it: text without NUL and without the line end at its end."""
    return octets.decode("utf-8", "replace").replace("\0", "")[:LONGEST_VALUE].rstrip("\r\n")
