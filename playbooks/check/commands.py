"""Commands are complete, and possible for the agent that has to execute them on these targets."""

from __future__ import annotations

import json
import re
from collections.abc import Collection

from playbooks.actions.http_api import METHODS
from playbooks.actions.parameters import TERMS, mistakes
from playbooks.actions.system_parameters import BY_SSH, HERE_TOO
from playbooks.bodies import kinds_of, mistake
from playbooks.check.looking import check_looking
from playbooks.check.report import Report
from playbooks.extension import ExtensionError, options_of, parameters_for
from playbooks.model import Action, Command, Party, Playbook, decoded
from playbooks.references import names_within, the_one
from playbooks.vocabulary import BY_HAND_ONLY, COMMAND_TYPES, EXECUTORS, OWN_COMMAND, PEOPLE, THINGS

LONGEST_COMMAND = 1_000_000
LONGEST_POWERSHELL = 2_900
"""Letters: Windows takes no longer command line (playbooks.actions.powershell)."""
MOST_COMMANDS = 100
_TEXT_KINDS = frozenset({"manual", "bash", "caldera-cmd", "powershell", "ssh"})
_ENCODED_KINDS = frozenset({"elastic", "jupyter", "kestrel", "sigma", "yara"})
_HTTP_KINDS = frozenset({"http-api", "openc2-http"})
_REMOTE_KINDS = _HTTP_KINDS | {"elastic", "ssh", "powershell"} | BY_SSH - HERE_TOO
"""Commands that go to an address."""
_VERSION = re.compile(r"HTTP/(?:1\.0|1\.1|2|2\.0|3|3\.0)", re.ASCII)
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "expect", "te", "trailer"})
"""Headers that say where a message ends or goes."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_START_LINE = "for example POST /api/block HTTP/1.1"


def check_commands(playbook: Playbook, report: Report, own: Collection[str] | None) -> None:
    for key, step in playbook.workflow.items():
        if not isinstance(step, Action):
            continue
        if len(step.commands) > MOST_COMMANDS:
            report.wrong(f"workflow.{key}.commands", f"a step has at most {MOST_COMMANDS} commands", "divide it", key)
        agent = playbook.agent_definitions.get(step.agent)
        targets = [playbook.target_definitions[one] for one in step.targets if one in playbook.target_definitions]
        for place, command in enumerate(step.commands):
            path = f"workflow.{key}.commands[{place}]"
            if not _is_known(command.type, own):
                hint = "one of " + ", ".join(sorted(COMMAND_TYPES))
                report.wrong(f"{path}.type", f"there is no action for commands of the kind {command.type[:60]!r}", hint, key)
                continue
            _complete(path, key, command, report)
            if agent is not None:
                _possible(path, key, command.type, agent, targets, report)
                if command.type in BY_SSH or (command.type == "yara" and parameters_for(step, "yara").get("paths")):
                    _by_ssh(path, key, command.type, targets, report)
        if step.commands and all(command.type in TERMS for command in step.commands):
            _given_back(key, step, report)
        check_looking(key, step, report)


def _is_known(kind: str, own: Collection[str] | None) -> bool:
    if kind in COMMAND_TYPES or not kind:
        return True  # an empty kind is said where properties are looked at
    return kind in own if own is not None else OWN_COMMAND.fullmatch(kind) is not None


def _complete(path: str, key: str, command: Command, report: Report) -> None:
    if command.command and command.command_b64:
        report.wrong(f"{path}.command_b64", "command and command_b64 stand together", "keep one of them", key)
    if command.content and command.content_b64:
        report.wrong(f"{path}.content_b64", "content and content_b64 stand together", "keep one of them", key)
    if command.type in _TEXT_KINDS and not command.command.strip() and not command.command_b64:
        report.lacking(f"{path}.command", f"the {command.type} command is empty", "say what is to be done", key)
    if command.type in _ENCODED_KINDS and not command.command_b64 and not command.command.strip():
        report.lacking(f"{path}.command_b64", f"the {command.type} command is missing", "give it as base64", key)
    _encoded(path, key, command, report)
    if command.type == "powershell" and len(command.command) > LONGEST_POWERSHELL and not names_within(command.command):
        message = f"a powershell command has at most {LONGEST_POWERSHELL:,} letters"
        report.wrong(f"{path}.command", message, "fetch a longer one from a share, or divide it", key)
    if command.type in _HTTP_KINDS:
        _start_line(f"{path}.command", key, command, report)
        _headers(f"{path}.headers", key, command, report)
        _body(path, key, command, report)
    if command.type in TERMS:
        for found in mistakes(command.type, command.more):
            tell = report.lacking if found.lacking else report.wrong
            tell(f"{path}.{found.path}", found.message, found.hint, key)
    if command.type == "openc2-http":
        _openc2(f"{path}.content_b64", key, command, report)


def _given_back(key: str, step: Action, report: Report) -> None:
    """Values that are wanted of our own commands are among what these give."""
    gives = sorted({name for command in step.commands for name in TERMS[command.type].gives})
    try:
        pointers = options_of(step).outputs
    except ExtensionError:
        return  # told where the extension is looked at
    for place, name in enumerate(map(the_one, step.out_args)):
        source = pointers.get(name, "").removeprefix("/") or name.strip("_")
        if name and source not in gives:
            hint = "they give " + ", ".join(gives) if gives else "they give nothing"
            report.wrong(f"workflow.{key}.out_args[{place}]", f"these commands do not give {source[:80]}", hint, key)


def _encoded(path: str, key: str, command: Command, report: Report) -> None:
    for name, text, is_text in (("command_b64", command.command_b64, True), ("content_b64", command.content_b64, False)):
        if not text:
            continue
        try:
            octets = decoded(text)
            if is_text:
                octets.decode("utf-8")
        except ValueError:
            what = "base64 of UTF-8 text" if is_text else "base64"
            report.wrong(f"{path}.{name}", f"it is no {what}", "encode it again (RFC 4648, section 4)", key)
    if max(len(command.command), len(command.command_b64), len(command.content), len(command.content_b64)) > LONGEST_COMMAND:
        report.wrong(path, f"a command has at most {LONGEST_COMMAND:,} letters", "fetch large content from a URL", key)


def _start_line(path: str, key: str, command: Command, report: Report) -> None:
    if not command.command:
        report.lacking(path, "the HTTP start line is missing", _START_LINE, key)
        return
    words = command.command.split(" ")
    if len(words) != 3 or not all(words) or not command.command.isprintable():
        message = "it is no HTTP start line: method, target and version, one blank between them"
        report.wrong(path, message, _START_LINE, key)
        return
    method, target, version = words
    if not names_within(method) and method not in METHODS:
        report.wrong(path, f"there is no method {method[:40]!r}", "one of " + ", ".join(sorted(METHODS)), key)
    if command.type == "openc2-http" and method != "POST":
        report.wrong(path, "an OpenC2 command is sent by POST", _START_LINE, key)
    if not target.startswith(("/", "http://", "https://", "__")):
        report.wrong(path, f"the target {target[:60]!r} does not begin with /", _START_LINE, key)
    if not names_within(version) and not _VERSION.fullmatch(version):
        report.wrong(path, f"there is no version {version[:40]!r}", "HTTP/1.1", key)


def _headers(path: str, key: str, command: Command, report: Report) -> None:
    for name, values in command.headers.items():
        if not _TOKEN.fullmatch(name):
            report.wrong(f"{path}.{name[:80]}", f"{name[:80]!r} is no name of a header", "letters, digits and -", key)
        if name.lower() in _OURS:
            report.wrong(f"{path}.{name[:80]}", f"the header {name} is written by the executor", "leave it out", key)
        if any("\r" in value or "\n" in value for value in values):
            report.wrong(f"{path}.{name[:80]}", "the value of a header is one line", "remove the line end", key)


def _body(path: str, key: str, command: Command, report: Report) -> None:
    """A body is of the kind that it says, or begins like, once its names have values; else nobody could say where a value ends."""
    name, text = "content", command.content
    if command.content_b64 and not text:
        try:
            name, text = "content_b64", decoded(command.content_b64).decode("utf-8")
        except ValueError:
            return  # no base64 is told above; no text has no names
    message, hint = mistake(text, kinds_of(command.headers)) if text else ("", "")
    if message:
        report.wrong(f"{path}.{name}", message, hint, key)


def _openc2(path: str, key: str, command: Command, report: Report) -> None:
    if not command.content_b64:
        report.lacking(path, "the OpenC2 command is missing", "give its JSON as base64", key)
        return
    try:
        text = decoded(command.content_b64).decode("utf-8")
        if not names_within(text) and not isinstance(json.loads(text), dict):
            raise ValueError(text)
    except (ValueError, RecursionError):
        report.wrong(path, "it is no OpenC2 command: a JSON object is wanted", "encode the object, not a part of it", key)


def _possible(path: str, key: str, kind: str, agent: Party, targets: list[Party], report: Report) -> None:
    if agent.type in PEOPLE:
        if kind != "manual":
            message = f"an agent of the kind {agent.type} does this {kind} command by hand"
            report.doubtful(path, message, "name a machine as agent to have it executed", key)
        return
    if kind == "manual" and agent.type in THINGS:
        hint = "name an individual, group or organization, or liandun, as agent"
        report.wrong(path, f"an agent of the kind {agent.type} cannot do a manual command", hint, key)
    if kind in BY_HAND_ONLY:
        report.wrong(path, f"{kind} commands cannot be executed here", "name a person or group as agent: it is done by hand", key)
    if kind in _REMOTE_KINDS and not (targets and all(map(_is_reachable, targets))) and not _is_reachable(agent):
        without = next((one.name or one.type for one in targets if not _is_reachable(one)), "")
        message = f"the target {without[:80]!r} has no address" if without else "there is no address to send this command to"
        report.wrong(path, message, "give the targets, or the agent, an address", key)
    if kind == "powershell":
        _windows(path, key, [one for one in targets or [agent] if _is_reachable(one)], report)
    if kind in BY_SSH | {"ssh", "yara"}:
        nameless = [one for one in targets or [agent] if one.type == "ssh" and not one.authentication_info]
        if nameless:
            message = f"the target {nameless[0].name[:80]!r} has no login"
            report.doubtful(path, message, "give it authentication_info of the type user-auth", key)
    if kind in ("http-api", "elastic") and agent.type in EXECUTORS and any(one.type == "ssh" for one in targets):
        report.wrong(path, "an ssh target does not speak HTTP", "make it http-api", key)


def _windows(path: str, key: str, hosts: list[Party], report: Report) -> None:
    if any(url.startswith("http://") for one in hosts for url in one.address.get("url", ())):
        report.wrong(path, "a login goes to a Windows host over TLS only", "name the host by dname, or by https://", key)
    nameless = [one for one in hosts if not one.authentication_info]
    if nameless:
        hint = "give it authentication_info of the type user-auth (NTLM) or http-basic"
        report.doubtful(path, f"the target {nameless[0].name[:80]!r} has no login", hint, key)


def _by_ssh(path: str, key: str, kind: str, targets: list[Party], report: Report) -> None:
    if not all(one.type == "ssh" and _is_reachable(one) for one in targets):
        report.wrong(path, f"a {kind} command goes to targets of the type ssh", "make them ssh, with address and login", key)
    elif kind == "yara" and not targets:
        report.wrong(path, "there is no host whose files are to be looked through", "give the step targets of the type ssh", key)


def _is_reachable(party: Party) -> bool:
    return any(party.address.get(kind) for kind in ("dname", "ipv4", "ipv6", "url"))
