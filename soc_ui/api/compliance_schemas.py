"""Shapes of the compliance API."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, File, Float, Integer, List, Nested
from apiflask.fields import String as Text
from apiflask.validators import Length, OneOf, Range

from compliance.assessment import deciding, record, scoring
from compliance.assessment.models import DECISIONS
from compliance.evidence import keeping
from compliance.systems import applicability, objects, service
from compliance.systems.kinds import KINDS
from compliance.systems.models import STATES
from compliance.verdicts import Verdict
from soc_ui.api.schemas import Natural, Paging, Strict, String

VERDICTS = tuple(verdict.value for verdict in Verdict)
_WHERE = {"description": "Id of an object of the system, 0: the system as a whole"}


class PersonIn(Strict):
    duty = String(required=True, validate=OneOf(service.DUTIES))
    name = String(required=True, validate=Length(1, 64))
    contact = String(load_default="", validate=Length(0, service.MAX_SHORT))


class FilingIn(Strict):
    number = String(load_default="", validate=Length(0, 64))
    date = String(load_default="", validate=Length(0, 10), metadata={"description": "YYYY-MM-DD"})
    authority = String(load_default="", validate=Length(0, service.MAX_SHORT))
    organisation = String(load_default="", validate=Length(0, service.MAX_SHORT))


class SystemIn(Strict):
    name = String(required=True, validate=Length(1, service.MAX_NAME))
    level = String(required=True, validate=Length(1, 12), metadata={"description": "S3A3G3 or S3A2"})
    organisation = String(load_default="", validate=Length(0, 128), metadata={"description": "Empty: the operator"})
    description = String(load_default="", validate=Length(0, service.MAX_TEXT))
    extensions = List(String(validate=Length(1, 8)), load_default=[], validate=Length(max=16))
    zones = List(String(validate=Length(1, 64)), load_default=[], validate=Length(max=service.MAX_ZONES))
    people = List(Nested(PersonIn), load_default=[], validate=Length(max=service.MAX_PEOPLE))
    state = String(load_default="running", validate=OneOf(STATES))
    filing = Nested(FilingIn, load_default={})


class SystemListIn(Paging):
    organisation = String(load_default="", validate=Length(0, 128))
    state = String(load_default="", validate=OneOf(("", *STATES)))
    level = Integer(load_default=0, validate=Range(0, 5))
    text = String(load_default="", validate=Length(0, 200))


class PersonOut(Schema):
    duty = Text(required=True)
    name = Text(required=True)
    contact = Text(required=True)


class FilingOut(Schema):
    number = Text(required=True)
    date = Text(required=True)
    authority = Text(required=True)
    organisation = Text(required=True)


class Made(Schema):
    created_by = Text(required=True)
    created_at = Text(required=True)
    updated_by = Text(required=True)
    updated_at = Text(required=True)
    version = Integer(required=True)


class SystemOut(Made):
    id = Integer(required=True)
    name = Text(required=True)
    level = Text(required=True)
    organisation = Text(required=True)
    description = Text(required=True)
    extensions = List(Text(), required=True)
    zones = List(Text(), required=True)
    people = List(Nested(PersonOut), required=True)
    state = Text(required=True)
    filing = Nested(FilingOut, required=True)


class SystemsOut(Schema):
    systems = List(Nested(SystemOut), required=True)
    next_cursor = Text(required=True)


class ObjectIn(Strict):
    kind = String(required=True, validate=OneOf(tuple(KINDS)))
    name = String(load_default="", validate=Length(0, objects.MAX_NAME))
    asset = String(load_default="", validate=Length(0, 128), metadata={"description": "Id of an asset of the inventory"})
    importance = Integer(load_default=0, validate=Range(0, objects.HIGHEST_IMPORTANCE))
    note = String(load_default="", validate=Length(0, objects.MAX_NOTE))


class ObjectListIn(Paging):
    kind = String(load_default="", validate=OneOf(("", *KINDS)))
    asset = String(load_default="", validate=Length(0, 128))
    text = String(load_default="", validate=Length(0, 200))
    removed = Boolean(load_default=False)


class ReasonIn(Strict):
    reason = String(required=True, validate=Length(1, 4_000))


class ObjectOut(Made):
    id = Integer(required=True)
    system_id = Integer(required=True)
    kind = Text(required=True)
    name = Text(required=True)
    asset = Text(required=True)
    importance = Integer(required=True)
    reason = Text(required=True)
    note = Text(required=True)
    removed_at = Text(allow_none=True)


class ObjectsOut(Schema):
    objects = List(Nested(ObjectOut), required=True)
    next_cursor = Text(required=True)


class TakenOverOut(Schema):
    made = Integer(required=True)
    known = Integer(required=True)
    unknown = Dict(keys=Text(), values=Text(), required=True)


class ApplicabilityIn(Strict):
    applies = Boolean(required=True)
    reason = String(required=True, validate=Length(1, applicability.MAX_REASON))


class ApplicabilityDecisionOut(Schema):
    item = Text(required=True)
    object_id = Integer(required=True, metadata=_WHERE)
    applies = Boolean(required=True)
    reason = Text(required=True)
    by = Text(required=True)
    at = Text(required=True)
    version = Integer(required=True)


class BearingOut(Schema):
    item = Text(required=True)
    applies = Boolean(required=True)
    rule = Text(required=True)
    zh = Text(required=True)
    en = Text(required=True)
    decision = Nested(ApplicabilityDecisionOut, allow_none=True)


class BearingsOut(Schema):
    items = List(Nested(BearingOut), required=True)


class CryptoIn(Strict):
    D = Boolean(load_default=False)
    A = Boolean(load_default=False)
    K = Boolean(load_default=False)
    bits = Integer(load_default=0, validate=Range(0, 65_536))
    module_level_1 = Boolean(load_default=False)
    made_up_unit = String(load_default="", validate=Length(0, 24))
    made_up_object = Natural(load_default=0)


class VerdictIn(Strict):
    verdict = String(required=True, validate=Length(1, 24), metadata={"description": ", ".join(VERDICTS)})
    reason = String(required=True, validate=Length(1, record.MAX_REASON))
    evidence = String(load_default="", validate=Length(0, record.MAX_EVIDENCE))
    reproduce = String(load_default="", validate=Length(0, record.MAX_REPRODUCE))
    crypto = Nested(CryptoIn, load_default=None, allow_none=True)


class FindingIn(VerdictIn):
    item_id = String(required=True, validate=Length(1, 24))
    object_id = Natural(load_default=0, metadata=_WHERE)
    reason = String(load_default="", validate=Length(0, record.MAX_REASON))
    at = String(load_default="", validate=Length(0, 40))


class FindingsIn(Strict):
    findings = List(Nested(FindingIn), required=True, validate=Length(1, 2_000))


class BatchOut(Schema):
    recorded = Integer(required=True)
    changed = Integer(required=True)
    drifted = Integer(required=True)
    refused = Dict(keys=Text(), values=Text(), required=True)


class VerdictOut(Schema):
    object_id = Integer(required=True, metadata=_WHERE)
    kind = Text(required=True)
    name = Text(required=True)
    asset = Text(required=True)
    verdict = Text(required=True, metadata={"description": "Empty: not yet assessed"})
    source = Text(required=True)
    by = Text(required=True)
    reason = Text(required=True)
    evidence = Text(required=True)
    reproduce = Text(required=True)
    at = Text(required=True)
    checked_at = Text(required=True)
    probed = Text(required=True)
    contradicted = Boolean(required=True)
    version = Integer(required=True)


class VerdictListIn(Paging):
    verdict = String(load_default="", validate=OneOf(("", "none", *VERDICTS)))


class VerdictsOut(Schema):
    verdicts = List(Nested(VerdictOut), required=True)
    next_cursor = Text(required=True)


class CustodyLinkOut(Schema):
    number = Integer(required=True)
    action = Text(required=True)
    actor = Text(required=True)
    at = Text(required=True)
    reason = Text(required=True)
    source = Text(required=True)


class ViewedOut(Schema):
    place = Text(required=True, metadata={"description": "kept, document, incident, elsewhere; empty: nothing is named"})
    reference = Text(required=True)
    sealed = Boolean(required=True, metadata={"description": "It lies here: checked, and can be opened"})
    problem = Text(required=True, metadata={"description": "Why the seal does not hold; empty: it does"})
    name = Text(required=True)
    sm3 = Text(required=True)
    size = Integer(required=True)
    at = Text(required=True)
    by = Text(required=True)
    number = Integer(required=True)
    edition = Integer(required=True)
    piece = Integer(required=True)
    links = List(Nested(CustodyLinkOut), required=True)


class EvidenceIn(Strict):
    file = File(required=True)
    note = String(load_default="", validate=Length(0, keeping.MAX_NOTE))


class EvidenceKeptOut(Schema):
    id = Integer(required=True)
    system_id = Integer(required=True)
    name = Text(required=True)
    note = Text(required=True)
    sm3 = Text(required=True)
    size = Integer(required=True)
    added_by = Text(required=True)
    at = Text(required=True)


class EvidencePageOut(Schema):
    evidence = List(Nested(EvidenceKeptOut), required=True)
    next_cursor = Text(required=True)


class HistoryIn(Strict):
    object_id = Natural(load_default=None, allow_none=True, metadata=_WHERE)


class StepOut(Schema):
    id = Integer(required=True)
    object_id = Integer(required=True)
    verdict = Text(required=True)
    previous = Text(required=True)
    source = Text(required=True)
    by = Text(required=True)
    reason = Text(required=True)
    evidence = Text(required=True)
    reproduce = Text(required=True)
    at = Text(required=True)
    counted = Boolean(required=True)


class HistoryOut(Schema):
    steps = List(Nested(StepOut), required=True)


class TallyOut(Schema):
    item = Text(required=True)
    objects = Integer(required=True)
    met = Integer(required=True)
    partly = Integer(required=True)
    not_met = Integer(required=True)
    not_applicable = Integer(required=True)
    unassessed = Integer(required=True)


class StandingItemOut(Schema):
    item = Text(required=True)
    zh = Text(required=True)
    en = Text(required=True)
    security_class = Text(required=True)
    unit = Text(required=True)
    holds = Text(required=True)
    tally = Nested(TallyOut, required=True)
    verdict = Text(required=True)
    high_risk = Boolean(required=True)
    hazard = Boolean(required=True)


class ClassOut(Schema):
    id = Text(required=True)
    extension = Text(required=True)
    zh = Text(required=True)
    en = Text(required=True)
    met = Integer(required=True)
    partly = Integer(required=True)
    not_met = Integer(required=True)
    not_applicable = Integer(required=True)
    none = Integer(required=True)


class HazardOut(Schema):
    trigger = Text(required=True)
    zh = Text(required=True)
    en = Text(required=True)
    item = Text(required=True)
    state = Text(required=True)
    by = Text(required=True)
    reason = Text(required=True)
    version = Integer(required=True)


class DecisionOut(Schema):
    kind = Text(required=True)
    subject = Text(required=True)
    object_id = Integer(required=True)
    value = Text(required=True)
    reason = Text(required=True)
    by = Text(required=True)
    at = Text(required=True)
    version = Integer(required=True)


class StandingOut(Schema):
    items = List(Nested(StandingItemOut), required=True)
    classes = List(Nested(ClassOut), required=True)
    hazards = List(Nested(HazardOut), required=True)
    decisions = List(Nested(DecisionOut), required=True)


class DecisionIn(Strict):
    kind = String(required=True, validate=OneOf(DECISIONS))
    subject = String(required=True, validate=Length(1, 64))
    object_id = Natural(load_default=0, metadata=_WHERE)
    value = String(required=True, validate=Length(1, 32))
    reason = String(required=True, validate=Length(1, deciding.MAX_REASON))
    version = Natural(load_default=None, allow_none=True, metadata={"description": "Of the decision there is, 0: none yet"})


class WithdrawalIn(Strict):
    kind = String(required=True, validate=OneOf(DECISIONS))
    subject = String(required=True, validate=Length(1, 64))
    object_id = Natural(load_default=0, metadata=_WHERE)
    reason = String(required=True, validate=Length(1, deciding.MAX_REASON))
    version = Natural(load_default=None, allow_none=True)


class DecisionHistoryIn(Strict):
    subject = String(load_default="", validate=Length(0, 64), metadata={"description": "Empty: everything"})
    kind = String(load_default="", validate=OneOf(("", *DECISIONS)))


class DecisionTakenOut(Schema):
    kind = Text(required=True)
    subject = Text(required=True)
    object_id = Integer(required=True)
    value = Text(required=True, metadata={"description": "Empty: withdrawn"})
    previous = Text(required=True)
    reason = Text(required=True)
    by = Text(required=True)
    at = Text(required=True)


class DecisionHistoryOut(Schema):
    decisions = List(Nested(DecisionTakenOut), required=True)


class TemplateIn(Strict):
    template = String(load_default="2025", validate=OneOf(scoring.NAMES))


class ShareOut(Schema):
    id = Text(required=True)
    zh = Text(required=True)
    en = Text(required=True)
    met = Integer(required=True)
    partly = Integer(required=True)
    not_met = Integer(required=True)
    not_applicable = Integer(required=True)
    value = Text(required=True)


class OutcomeOut(Schema):
    template = Text(required=True)
    value = Text(required=True)
    conclusion = Text(required=True)
    conclusion_zh = Text(required=True)
    formula = Text(required=True)
    settings = Dict(keys=Text(), values=Text(), required=True)
    counts = Dict(keys=Text(), values=Float(), required=True)
    classes = List(Nested(ShareOut), required=True)
    hazards = Text(required=True)
    missing = List(Text(), required=True)
    notes = List(Text(), required=True)
    to_be_confirmed = List(Text(), required=True)
    catalogue = Text(required=True)


class ScoreOut(Schema):
    at = Text(required=True)
    unassessed = Integer(required=True)
    provisional = Boolean(required=True)
    outcome = Nested(OutcomeOut, required=True)


class KeptScoreOut(Schema):
    id = Integer(required=True)
    template = Text(required=True)
    at = Text(required=True)
    by = Text(required=True)
    value = Text(required=True)
    conclusion = Text(required=True)
    provisional = Boolean(required=True)


class TrendOut(Schema):
    scores = List(Nested(KeptScoreOut), required=True)
