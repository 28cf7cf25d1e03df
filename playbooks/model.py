"""A playbook of CACAO Security Playbooks 2.0 (OASIS Committee Specification 01, 27 November 2023) as it is read.

Invariants: values stand here exactly as the document gives them (times as text, numbers of variables as text); what the document
leaves out has the standard's default, an identifier that is left out is "". Nothing here is ever changed: a run works on copies.
That a playbook can be read does not mean that it can be run: ``playbooks.check`` says that.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = dict[str, Any]


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A variable as it is declared (10.18). ``value`` None is "not known", which is not the empty text.

    ``type`` is one of ``playbooks.vocabulary.VARIABLE_TYPES``; numbers and booleans stand in ``value`` as text. ``external``: the
    caller of the playbook gives the first value.
    """

    type: str
    value: str | Json | None = None
    constant: bool = False
    external: bool = False
    description: str = ""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One command of an action step (5). ``more`` holds the properties of kinds that the standard does not know."""

    type: str
    description: str = ""
    version: str = ""
    playbook_activity: str = ""
    external_references: list[Json] = []
    command: str = ""
    command_b64: str = ""
    content: str = ""
    content_b64: str = ""
    headers: dict[str, list[str]] = {}
    more: Json = {}

    def text(self) -> str:
        """The command itself, from ``command`` or ``command_b64``. Raises ValueError where that is no base64 of UTF-8."""
        return self.command or decoded(self.command_b64).decode("utf-8")

    def body(self) -> bytes:
        """The content to send, from ``content`` or ``content_b64``. Raises ValueError where that is no base64."""
        return self.content.encode() if self.content else decoded(self.content_b64)


def decoded(text: str) -> bytes:
    """The bytes of base64 (RFC 4648 section 4), white space between allowed. Raises ValueError."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"no base64: {error}") from error


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """An agent or a target (7): who or what executes commands, or is what they are executed on.

    ``address`` maps dname, ipv4, ipv6, l2mac, vlan or url to a list. ``port`` is text, it may hold a variable.
    """

    type: str
    name: str = ""
    description: str = ""
    location: Json = {}
    contact: Json = {}
    address: dict[str, list[str]] = {}
    port: str = ""
    authentication_info: str = ""
    category: list[str] = []
    sector: str = ""
    agent_target_extensions: Json = {}


class Authentication(msgspec.Struct, frozen=True, kw_only=True):
    """A login of an agent or target (6). With ``kms`` the secret stands in the secret store under ``kms_key_identifier``."""

    type: str
    name: str = ""
    description: str = ""
    user_id: str = ""
    username: str = ""
    password: str = ""
    oauth_header: str = ""
    token: str = ""
    kms: bool = False
    kms_key_identifier: str = ""
    authentication_info_extensions: Json = {}


class StepBase(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What all steps have (4.1). ``delay`` and ``timeout`` in milliseconds; ``timeout`` None leaves the ceiling to the executor."""

    name: str = ""
    description: str = ""
    external_references: list[Json] = []
    delay: int = 0
    timeout: int | None = None
    step_variables: dict[str, Variable] = {}
    owner: str = ""
    on_completion: str = ""
    on_success: str = ""
    on_failure: str = ""
    step_extensions: Json = {}

    @property
    def type(self) -> str:
        """The kind of step, as the document names it."""
        return str(self.__struct_config__.tag)

    def followers(self) -> Iterator[tuple[str, str]]:
        """Property and id of each step that may come after this one, in the same branch."""
        for name in ("on_completion", "on_success", "on_failure"):
            if found := getattr(self, name):
                yield name, found

    def branches(self) -> Iterator[tuple[str, str]]:
        """Property and id of the first step of each branch that runs to an end of its own and comes back here."""
        return iter(())


class Start(StepBase, frozen=True, kw_only=True, tag="start"):
    """The one beginning (4.3)."""


class End(StepBase, frozen=True, kw_only=True, tag="end"):
    """The end of a branch or of the playbook (4.4)."""


class Action(StepBase, frozen=True, kw_only=True, tag="action"):
    """Commands, one after another, by one agent against each target (4.5)."""

    commands: list[Command] = []
    agent: str = ""
    targets: list[str] = []
    in_args: list[str] = []
    out_args: list[str] = []


class PlaybookAction(StepBase, frozen=True, kw_only=True, tag="playbook-action"):
    """Another playbook, with its own agents and targets (4.6). Without ``playbook_version`` the newest known one runs."""

    playbook_id: str = ""
    playbook_version: str = ""
    in_args: list[str] = []
    out_args: list[str] = []


class Parallel(StepBase, frozen=True, kw_only=True, tag="parallel"):
    """Branches at the same time; complete when all of them are (4.7)."""

    next_steps: list[str] = []

    def branches(self) -> Iterator[tuple[str, str]]:
        return ((f"next_steps[{place}]", step) for place, step in enumerate(self.next_steps))


class IfCondition(StepBase, frozen=True, kw_only=True, tag="if-condition"):
    """One branch or the other; with neither, on (4.8)."""

    condition: str = ""
    on_true: str = ""
    on_false: str = ""

    def branches(self) -> Iterator[tuple[str, str]]:
        return ((name, step) for name, step in (("on_true", self.on_true), ("on_false", self.on_false)) if step)


class WhileCondition(StepBase, frozen=True, kw_only=True, tag="while-condition"):
    """A branch again and again while the condition is true (4.9)."""

    condition: str = ""
    on_true: str = ""

    def branches(self) -> Iterator[tuple[str, str]]:
        return ((name, step) for name, step in (("on_true", self.on_true),) if step)


class SwitchCondition(StepBase, frozen=True, kw_only=True, tag="switch-condition"):
    """The branch whose key is the value of a variable; ``default`` otherwise (4.10)."""

    switch: str = ""
    cases: dict[str, str] = {}

    def branches(self) -> Iterator[tuple[str, str]]:
        return ((f"cases.{key}", step) for key, step in self.cases.items())


Step: TypeAlias = Start | End | Action | PlaybookAction | Parallel | IfCondition | WhileCondition | SwitchCondition


class Playbook(msgspec.Struct, frozen=True, kw_only=True):
    """A whole playbook (3.1). ``raw`` is the document as it was given, for signatures and export; do not change it.

    All documents of one ``id`` are versions of one playbook; ``modified`` names the version.
    """

    id: str = ""
    name: str = ""
    spec_version: str = ""
    description: str = ""
    created_by: str = ""
    created: str = ""
    modified: str = ""
    revoked: bool = False
    valid_from: str = ""
    valid_until: str = ""
    playbook_types: list[str] = []
    playbook_activities: list[str] = []
    priority: int = 0
    severity: int = 0
    impact: int = 0
    labels: list[str] = []
    markings: list[str] = []
    workflow_start: str = ""
    workflow_exception: str = ""
    workflow: dict[str, Step] = {}
    playbook_variables: dict[str, Variable] = {}
    agent_definitions: dict[str, Party] = {}
    target_definitions: dict[str, Party] = {}
    authentication_info_definitions: dict[str, Authentication] = {}
    extension_definitions: dict[str, Json] = {}
    playbook_extensions: Json = {}
    data_marking_definitions: dict[str, Json] = {}
    signatures: list[Json] = []
    raw: Json = {}
