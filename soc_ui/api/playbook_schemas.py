"""Playbooks, their runs and what these ask of people in the API."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Field, Integer, List, Nested
from apiflask.validators import Length, OneOf, Range

from playbooks.reading import MAX_BYTES
from playbooks.run.listing import STATES
from playbooks.run.messages import CHOICES
from playbooks.run.questions import LONGEST_COMMENT
from playbooks.run.steering import LONGEST_REASON
from playbooks.shelf.models import ORIGINS
from playbooks.shelf.prefill import KINDS
from playbooks.shelf.saving import MAX_NOTE
from playbooks.shelf.schema import STATES as SHELF_STATES
from soc_ui.api.schemas import Paging, Strict, String

QUESTIONS = ("approval", "manual", "unknown")
OUTCOMES = ("", "done", "failed", "approved", "refused", "expired", "decided", "gone")
_VALUES = {"description": "Variable → value as text; an object for the type dictionary; null = not known"}


class PlaybookListIn(Paging):
    text = String(load_default="", validate=Length(0, 200), metadata={"description": "Part of the name"})
    label = String(load_default="", validate=Length(0, 100))
    origin = String(load_default="", validate=OneOf(("", *ORIGINS)))
    state = String(load_default="", validate=OneOf(("", *SHELF_STATES)))


class PlaybookOut(Schema):
    playbook_id = String(required=True)
    name = String(required=True)
    names = Dict(String(), String(), required=True, metadata={"description": "Its name in further languages"})
    labels = List(String(), required=True)
    origin = String(required=True, validate=OneOf(ORIGINS))
    enabled = Boolean(required=True)
    released = Integer(required=True, allow_none=True, metadata={"description": "Number of the version in force"})
    newest = Integer(required=True)
    revision = Integer(required=True, metadata={"description": "The ETag"})
    created_at = String(required=True)
    created_by = String(required=True)
    updated_at = String(required=True)
    updated_by = String(required=True)


class PlaybookPageOut(Schema):
    playbooks = List(Nested(PlaybookOut), required=True)
    next_cursor = String(required=True)


class PlaybookProblemOut(Schema):
    path = String(required=True, metadata={"description": "Where: workflow.action--….commands[0].command"})
    message = String(required=True)
    hint = String(required=True)
    step = String(required=True)
    severity = String(required=True, validate=OneOf(("error", "warning")))


class PlaybookVersionOut(Schema):
    playbook_id = String(required=True)
    number = Integer(required=True)
    digest = String(required=True, metadata={"description": "SHA-256 of the document"})
    modified = String(required=True)
    origin = String(required=True, validate=OneOf(ORIGINS))
    runnable = Boolean(required=True)
    problems = List(Nested(PlaybookProblemOut), required=True)
    calls = List(String(), required=True)
    note = String(required=True)
    created_at = String(required=True)
    created_by = String(required=True)
    released_at = String(required=True)
    released_by = String(required=True)


class PlaybookVersionsOut(Schema):
    versions = List(Nested(PlaybookVersionOut), required=True)
    next_cursor = String(required=True)


class DifferenceIn(Strict):
    old = Integer(required=True, validate=Range(1, 10**9))
    new = Integer(required=True, validate=Range(1, 10**9))


class PlaybookChangeOut(Schema):
    kind = String(required=True, validate=OneOf(("added", "removed", "changed")))
    path = String(required=True)
    step = String(required=True)
    step_name = String(required=True)
    old = Field(required=True, allow_none=True)
    new = Field(required=True, allow_none=True)


class DifferenceOut(Schema):
    changes = List(Nested(PlaybookChangeOut), required=True)


class DocumentIn(Strict):
    document = String(
        required=True, validate=Length(1, MAX_BYTES), metadata={"description": "The JSON document of CACAO 2.0 as text"}
    )


class PlaybookSaveIn(DocumentIn):
    note = String(load_default="", validate=Length(0, MAX_NOTE))
    base = Integer(
        load_default=None, allow_none=True, validate=Range(1, 10**9),
        metadata={"description": "Number of the version it was made from; null for a playbook that is not there yet"},
    )  # fmt: skip
    draft = Boolean(load_default=False, metadata={"description": "Keep it also where it cannot run yet"})
    origin = String(load_default="own", validate=OneOf(("own", "imported")))
    stamp = Boolean(load_default=False, metadata={"description": "Give it the present moment as modified; drops signatures"})


class CheckOut(Schema):
    runnable = Boolean(required=True)
    problems = List(Nested(PlaybookProblemOut), required=True)


class ReleaseIn(Strict):
    number = Integer(required=True, validate=Range(1, 10**9))


class SwitchIn(Strict):
    enabled = Boolean(required=True)


class SubjectIn(Strict):
    kind = String(required=True, validate=OneOf(KINDS))
    id = String(required=True, validate=Length(1, 128), metadata={"description": "Number, or the key of an asset"})


class StartIn(Strict):
    variables = Dict(String(), Field(allow_none=True), load_default={}, metadata=_VALUES)
    subject = Nested(SubjectIn, load_default=None, allow_none=True, metadata={"description": "What it is started for"})
    prefill = Boolean(load_default=False, metadata={"description": "Fill in what is known of the subject where no value is given"})
    request_key = String(load_default="", validate=Length(0, 64), metadata={"description": "Sent again it is the same run"})


class StartFormIn(Strict):
    kind = String(load_default="", validate=OneOf(("", *KINDS)))
    id = String(load_default="", validate=Length(0, 128))


class StartFieldOut(Schema):
    name = String(required=True)
    type = String(required=True)
    value = String(required=True, allow_none=True, metadata={"description": "What is known; null = nothing"})
    description = String(required=True)
    needed = Boolean(required=True, metadata={"description": "The playbook cannot do without"})


class StartFormOut(Schema):
    fields_ = List(Nested(StartFieldOut), required=True, data_key="fields")


class RunListIn(Paging):
    state = String(load_default="", validate=OneOf(("", "open", *STATES)))
    playbook_id = String(load_default="", validate=Length(0, 160))
    subject = String(
        load_default="", validate=Length(0, 160), metadata={"description": "What they were started for: alert:7, asset:<key>"}
    )


class RunOut(Schema):
    id = Integer(required=True)
    playbook_id = String(required=True)
    playbook_name = String(required=True)
    state = String(required=True, validate=OneOf(STATES))
    reason = String(required=True)
    cause = Dict(required=True)
    created_at = String(required=True)
    created_by = String(required=True)
    started_at = String(required=True, allow_none=True)
    ended_at = String(required=True, allow_none=True)


class RunPageOut(Schema):
    runs = List(Nested(RunOut), required=True)
    next_cursor = String(required=True)


class RunDetailOut(Schema):
    run = Nested(RunOut, required=True)
    digest = String(required=True)
    called = List(String(), required=True, metadata={"description": "Digests of the playbooks that it may call"})
    variables = Dict(String(), Field(allow_none=True), required=True, metadata={"description": "What it was given"})
    events = Integer(required=True)


class JournalLineOut(Schema):
    number = Integer(required=True)
    event = Dict(required=True)
    trace = List(Dict(), required=True, metadata={"description": "What came of it"})


class JournalOut(Schema):
    lines = List(Nested(JournalLineOut), required=True)
    next_cursor = String(required=True)


class ReasonIn(Strict):
    reason = String(required=True, validate=Length(1, LONGEST_REASON))


class LeftOut(Schema):
    visit = Integer(required=True, metadata={"description": "Names it when it is settled"})
    step_id = String(required=True)
    undo = String(required=True, metadata={"description": "The step that should have taken it back"})
    code = String(required=True, metadata={"description": "Why that failed; empty: the undo did not come to it"})
    message = String(required=True)


class LeftPageOut(Schema):
    left = List(Nested(LeftOut), required=True)


class SettleIn(Strict):
    visit = Integer(required=True, strict=True, validate=Range(1, 2**31))
    comment = String(required=True, validate=Length(1, LONGEST_REASON), metadata={"description": "What was done by hand"})


class QuestionListIn(Paging):
    kind = String(load_default="", validate=OneOf(("", *QUESTIONS)))
    run_id = Integer(load_default=None, allow_none=True, validate=Range(1, 2**63 - 1))


class GivenOut(Schema):
    by = String(required=True)
    at = String(required=True)
    choice = String(required=True)
    comment = String(required=True)
    decided = List(String(), required=True, metadata={"description": "What has another value by this than was told from outside"})


class QuestionOut(Schema):
    id = Integer(required=True)
    run_id = Integer(required=True)
    playbook_id = String(required=True)
    playbook_name = String(required=True)
    kind = String(required=True, validate=OneOf(QUESTIONS))
    title = String(required=True)
    line = String(required=True, metadata={"description": "What is to be done, or would be"})
    request = Dict(required=True, metadata={"description": "The whole request with its values; never a secret"})
    digest = String(required=True, metadata={"description": "SHA-256 of the request: what one agrees to"})
    out_args = Dict(String(), String(), required=True, metadata={"description": "Variable → type that an answer may give"})
    roles = List(String(), required=True)
    number = Integer(required=True, metadata={"description": "How many have to agree"})
    why = List(String(), required=True)
    touches = List(String(), required=True)
    asked_at = String(required=True)
    expires_at = String(required=True, allow_none=True)
    closed_at = String(required=True, allow_none=True)
    outcome = String(required=True, validate=OneOf(OUTCOMES))
    answers = List(Nested(GivenOut), required=True)
    started_by = String(required=True)
    fired_by = String(required=True)
    words = Dict(
        String(), Dict(), required=True, metadata={"description": "Language → title and text, where the playbook has them"}
    )
    known = Dict(
        String(),
        String(allow_none=True),
        required=True,
        metadata={
            "description": "Those of out_args that come from outside, and what was told; an answer may correct it, or say null"
        },
    )


class QuestionPageOut(Schema):
    questions = List(Nested(QuestionOut), required=True)
    next_cursor = String(required=True)


class ApprovalIn(Strict):
    digest = String(required=True, validate=Length(64, 64))
    agree = Boolean(required=True)
    comment = String(load_default="", validate=Length(0, LONGEST_COMMENT))


class AnswerIn(Strict):
    done = Boolean(required=True)
    variables = Dict(String(), Field(allow_none=True), load_default={}, metadata=_VALUES)
    comment = String(load_default="", validate=Length(0, LONGEST_COMMENT))


class DecisionIn(Strict):
    choice = String(required=True, validate=OneOf(CHOICES))
    variables = Dict(String(), Field(allow_none=True), load_default={}, metadata=_VALUES)
    comment = String(load_default="", validate=Length(0, LONGEST_COMMENT))
