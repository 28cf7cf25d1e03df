"""What people say to a run; kept in the database until the executor that has the run reads it."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from playbooks.variables import Value


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    pass


class Answer(_Message, frozen=True, kw_only=True, tag="answer"):
    """A person has carried a manual command out, or could not (``done`` False)."""

    call: str
    done: bool = True
    variables: dict[str, Value] = {}
    comment: str = ""


class Decide(_Message, frozen=True, kw_only=True, tag="decide"):
    """A command whose outcome is unknown: ``choice`` done, again or fail."""

    call: str
    choice: str
    variables: dict[str, Value] = {}
    comment: str = ""


class Approve(_Message, frozen=True, kw_only=True, tag="approve"):
    """A person agrees to exactly the request ``digest``, or refuses it (``yes`` False)."""

    call: str
    digest: str
    yes: bool = True
    comment: str = ""


class Cancel(_Message, frozen=True, kw_only=True, tag="cancel"):
    """Begin nothing new."""

    reason: str = ""


class Undo(_Message, frozen=True, kw_only=True, tag="undo"):
    """Take back what an ended run has done."""


class Settle(_Message, frozen=True, kw_only=True, tag="settle"):
    """What the step of ``visit`` did, and an undo could not take back, was taken back by hand."""

    visit: int
    comment: str


Message: TypeAlias = Answer | Approve | Decide | Cancel | Undo | Settle
CHOICES = ("done", "again", "fail")
