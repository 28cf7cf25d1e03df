"""One command on another host for a playbook (kernel.programs.ssh): the login of a target, and failures as ActionError."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kernel.programs import process, ssh
from kernel.programs.process import Finished
from kernel.programs.ssh import Login, is_user_name
from playbooks.actions.contract import ActionError, Context, Destination
from playbooks.actions.program_errors import as_actions
from playbooks.actions.ssh_host import SshHost
from playbooks.model import Authentication

__all__ = ["Login", "execute", "login_of"]


def login_of(authentication: Authentication | None, hosts: Sequence[SshHost], context: Context) -> Login:
    """The login of a target, its secret out of the store, where it has to be meant for each of ``hosts``.

    Raises ActionError(LOGIN_MISSING or COMMAND_WRONG), and what the store raises.
    """
    if authentication is None:
        raise ActionError("the target has no login", "give it authentication_info of the type user-auth", code="LOGIN_MISSING")
    if authentication.type not in ("user-auth", "http-basic"):
        raise ActionError(f"a login of the kind {authentication.type} cannot be used with SSH", "user-auth", code="COMMAND_WRONG")
    user = authentication.username or authentication.user_id
    if not is_user_name(user):
        raise ActionError(f"{user[:60]!r} is no user name", "give the login a username", code="COMMAND_WRONG")
    places = [Destination(host.name, host.port) for host in hosts]
    secret = context.secrets(authentication.kms_key_identifier, places) if authentication.kms else authentication.password
    if not secret or "\0" in secret:
        raise ActionError(f"the login of {user} has no key and no password", code="LOGIN_MISSING")
    return Login(user, secret)


def execute(
    hosts: Sequence[SshHost],
    login: Login,
    known_hosts: Path,
    command: str,
    context: Context,
    *,
    stdin: bytes = b"",
    most: int = process.MOST_OUTPUT,
) -> Finished:
    """Run ``command``, which the user's shell over there reads, on the first of ``hosts`` that answers; wait for its end.

    Raises ActionError: UNREACHABLE where none answers (worth another attempt); SSH_FAILED where one does and ssh could not go on
    (login refused, another host key, connection lost); and what process.run raises. After ACTION_TIMEOUT or a lost connection
    nobody knows how far the command came.
    """
    with as_actions():
        return ssh.execute(hosts, login, known_hosts, command, context, stdin=stdin, most=most)
