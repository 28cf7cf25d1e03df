"""``powershell`` (CACAO 2.0, 5.11): a script on a Windows host, by its own WinRM service (WS-Management, MS-WSMV) over TLS.

Success is exit code 0. The script is one argument (``-EncodedCommand``), so no shell on the way reads it. The shell that was opened
is closed at the end, whatever happened: what the script has started in it ends with it. Values are those of ``ssh``.
"""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

from kernel.errors import LiandunError
from playbooks.actions import ssh, wsman
from playbooks.actions.contract import ActionError, Context, Destination, Plan, Request
from playbooks.actions.destination import Endpoint, Reach, host_endpoints
from playbooks.actions.http_answer import Answer
from playbooks.actions.process import MOST_OUTPUT, Finished
from playbooks.actions.settings import Settings
from playbooks.actions.winrm_line import WindowsLogin, WinrmLine
from playbooks.actions.wsman import Fault, WsmanError
from playbooks.variables import Value

PORT = 5986
LONGEST = 2_900
"""Letters of a script (of UTF-16): the shell of Windows takes command lines of 8,191, and each letter comes to 2.7 of them."""
_PROGRAM = "powershell.exe"
_OPTIONS = ("-NoLogo", "-NoProfile", "-NonInteractive", "-OutputFormat", "Text", "-EncodedCommand")
_CLOSING = 5.0
"""Seconds that closing the shell may take, within the time of the command."""
_OBJECTS = b"#< CLIXML"


class Powershell:
    """The action. ``reach``: the networks that hosts have to be in; without any, none is reached."""

    def __init__(self, settings: Settings, reach: Reach = Reach()) -> None:
        self._settings = settings
        self._reach = reach

    def plan(self, request: Request) -> Plan:
        """``user@host: script``. Raises ActionError."""
        hosts = host_endpoints(request.target, PORT)
        _encoded(request.command.text())
        user = request.authentication.username or request.authentication.user_id if request.authentication else ""
        return Plan(f"{user or '?'}@{hosts[0].host}: {request.command.text()}", tuple(dict.fromkeys(one.host for one in hosts)))

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        """Do it. Raises ActionError; after ACTION_TIMEOUT or WINRM_FAILED nobody knows how far the script came."""
        return ssh.values(request, self.said(request, context))

    def said(self, request: Request, context: Context) -> Finished:
        """All that the script says, longer than values may be, and its exit code. Raises ActionError as ``run`` does."""
        script = _encoded(request.command.text())
        hosts = host_endpoints(request.target, PORT)
        for host in hosts:
            self._reach.listed(host)
        login = _login(request, hosts, context)
        tls = _tls(self._settings.windows_ca)
        problem: ActionError | None = None
        for host in hosts:
            try:
                return _run(WinrmLine(host, login, self._reach, tls), host, script, context)
            except ActionError as error:
                if error.code != "UNREACHABLE":
                    raise
                problem = problem or error
        assert problem is not None
        raise problem


def _run(line: WinrmLine, host: Endpoint, script: str, context: Context) -> Finished:
    """Raises ActionError; UNREACHABLE, and what is worth another attempt, only where the script cannot have been begun."""
    to, shell, process = f"https://{host.netloc}{host.path or '/wsman'}", "", ""
    inner = Context(context.deadline - min(_CLOSING, context.left() / 4), context.secrets, context.stop)
    try:
        shell = wsman.shell_of(_asked(line, wsman.create(to), inner))
        process = wsman.process_of(_asked(line, wsman.command(to, shell, _PROGRAM, [*_OPTIONS, script]), inner))
        return _heard(line, to, shell, process, inner)
    except Fault as fault:
        raise ActionError(f"{host.netloc} refuses: {fault.message}", code="WINRM_REFUSED") from fault
    except WsmanError as error:
        raise ActionError(f"{host.netloc}: {error.message}", code="WINRM_FAILED") from error
    except ActionError as error:
        if not shell or not error.again:
            raise
        raise ActionError(error.message, error.hint, code="WINRM_FAILED") from error
    finally:
        if shell:
            _close(line, to, shell, process, context)
        line.close()


def _heard(line: WinrmLine, to: str, shell: str, process: str, context: Context) -> Finished:
    """All that a process says, until it ends. Raises ActionError(OUTPUT_TOO_LONG), and what asking raises."""
    output, errors = bytearray(), bytearray()
    while True:
        try:
            said = wsman.received(_asked(line, wsman.receive(to, shell, process), context), process)
        except Fault as fault:
            if not fault.nothing_came:
                raise
            continue
        output += said.output
        errors += said.errors
        if len(output) > MOST_OUTPUT or len(errors) > MOST_OUTPUT:
            raise ActionError(f"it said more than {MOST_OUTPUT:,} bytes and was stopped", code="OUTPUT_TOO_LONG")
        if said.code is not None:
            return Finished(said.code, _plain(bytes(output)), _plain(bytes(errors)))


def _close(line: WinrmLine, to: str, shell: str, process: str, context: Context) -> None:
    """End the process and close the shell within a time of their own, also where the command was called off. Where that fails the
    host closes it by itself when nobody has asked for it for a while."""
    own = Context(min(context.deadline, time.monotonic() + _CLOSING))
    for message in [*([wsman.terminate(to, shell, process)] if process else []), wsman.delete(to, shell)]:
        with suppress(LiandunError):
            wsman.check(_asked(line, message, own))


def _asked(line: WinrmLine, message: bytes, context: Context) -> bytes:
    """The octets of an answer; faults come with status 500. Raises ActionError."""
    answer: Answer = line.ask(message, context)
    if answer.status not in (200, 500) or (answer.status == 500 and not answer.body):
        raise ActionError(f"the host answered {answer.status}", code="WINRM_FAILED")
    if not answer.whole:
        raise ActionError("the answer is too long", code="OUTPUT_TOO_LONG")
    return answer.body


def _login(request: Request, hosts: list[Endpoint], context: Context) -> WindowsLogin:
    """The login of a target, its secret out of the store, where it has to be meant for each of ``hosts``. Raises ActionError."""
    found = request.authentication
    if found is None:
        hint = "give it authentication_info of the type user-auth (NTLM) or http-basic"
        raise ActionError("the target has no login", hint, code="LOGIN_MISSING")
    if found.type not in ("user-auth", "http-basic"):
        raise ActionError(f"a login of the kind {found.type} cannot be used with Windows", "user-auth", code="COMMAND_WRONG")
    user = found.username or found.user_id
    if not user or not user.isprintable() or len(user) > 256 or (found.type == "http-basic" and ":" in user):
        raise ActionError(f"{user[:60]!r} is no user name", "give the login a username", code="COMMAND_WRONG")
    places = [Destination(one.host, one.port) for one in hosts]
    password = context.secrets(found.kms_key_identifier, places) if found.kms else found.password
    if not password:
        raise ActionError(f"the login of {user} has no password", code="LOGIN_MISSING")
    return WindowsLogin(user, password, basic=found.type == "http-basic")


def _tls(authorities: Path | None) -> ssl.SSLContext:
    """Trusts these authorities, or those of the system where none are named. Raises ActionError."""
    try:
        return ssl.create_default_context(cafile=str(authorities) if authorities else None)
    except (OSError, ValueError) as error:
        hint = "[playbooks] windows_ca is a file of certificates (PEM)"
        raise ActionError(f"{authorities} cannot be read: {error}", hint, code="NOT_ALLOWED") from error


def _encoded(script: str) -> str:
    """The script as -EncodedCommand takes it. Raises ActionError."""
    if not script.strip() or "\0" in script:
        raise ActionError("the script is empty", code="COMMAND_WRONG")
    octets = script.encode("utf-16-le", "surrogatepass")
    if len(octets) > 2 * LONGEST:
        hint = "fetch a longer one from a share, or divide it into commands"
        raise ActionError(f"the script has {len(octets) // 2:,} letters, and {LONGEST:,} can be sent", hint, code="COMMAND_WRONG")
    return base64.b64encode(octets).decode()


def _plain(octets: bytes) -> bytes:
    """What PowerShell said as text: without the mark at its beginning, and not as objects, which some versions send anyway."""
    text = octets.removeprefix(b"\xef\xbb\xbf")
    if not text.startswith(_OBJECTS) or b"<!" in text or b"\0" in text:
        return text
    try:
        root = ElementTree.fromstring(text.partition(b"\n")[2].decode())  # noqa: S314 — without a document type there are no entities
    except (ElementTree.ParseError, ValueError, LookupError):
        return text
    lines = [one.text or "" for one in root if one.tag.endswith("}S") and one.get("S") != "Progress"]
    return "".join(lines).replace("_x000D_", "\r").replace("_x000A_", "\n").encode()
