"""Shapes of management documents in the API."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, File, Integer, List, Nested
from apiflask.fields import String as Text
from apiflask.validators import Length, OneOf

from compliance.documents import editions, service
from compliance.documents.models import KINDS
from soc_ui.api.compliance_schemas import Made
from soc_ui.api.schemas import Paging, Strict, String

_DAY = {"description": "YYYY-MM-DD"}


class DocumentListIn(Paging):
    kind = String(load_default="", validate=OneOf(("", *KINDS)))
    organisation = String(load_default="", validate=Length(max=128))
    item = String(load_default="", validate=Length(max=24), metadata={"description": "About this clause"})
    text = String(load_default="", validate=Length(max=200))
    in_force = Boolean(load_default=None, allow_none=True)
    review_by = String(load_default="", validate=Length(max=10), metadata=_DAY)
    overdue = Boolean(load_default=False)


class DocumentIn(Strict):
    kind = String(required=True, validate=OneOf(KINDS))
    title = String(required=True, validate=Length(1, service.MAX_TITLE))
    owner = String(required=True, validate=Length(1, service.MAX_OWNER))
    organisation = String(load_default="", validate=Length(max=128), metadata={"description": "Empty: the operator"})
    description = String(load_default="", validate=Length(max=service.MAX_TEXT))
    items = List(String(validate=Length(1, 24)), load_default=[], validate=Length(max=service.MAX_ITEMS))


class DocumentOut(Made):
    id = Integer(required=True)
    kind = Text(required=True)
    title = Text(required=True)
    organisation = Text(required=True)
    owner = Text(required=True)
    description = Text(required=True)
    state = Text(required=True)
    edition = Integer(required=True)
    in_force = Integer(required=True, metadata={"description": "Number of the edition that holds, 0: none"})
    review_on = Text(required=True)
    review_overdue = Boolean(required=True)
    items = List(Text(), required=True)


class DocumentPageOut(Schema):
    documents = List(Nested(DocumentOut), required=True)
    next_cursor = Text(required=True)
    overdue = Integer(required=True, metadata={"description": "Documents whose review is overdue, under no filter"})


class EditionIn(Strict):
    label = String(required=True, validate=Length(1, editions.MAX_LABEL), metadata={"description": "As the paper has it: V2.1"})
    change = String(load_default="", validate=Length(max=editions.MAX_NOTE))
    file = File(required=True, metadata={"description": "PDF, OFD, DOCX, XLSX, PPTX, ODT, ODS, PNG, JPEG, text; 20 MiB at most"})


class EditionOut(Schema):
    id = Integer(required=True)
    number = Integer(required=True)
    label = Text(required=True)
    state = Text(required=True)
    file_name = Text(required=True)
    media = Text(required=True)
    size = Integer(required=True)
    sm3 = Text(required=True)
    change = Text(required=True)
    added_by = Text(required=True)
    added_at = Text(required=True)
    approved_by = Text(required=True)
    approved_at = Text(required=True)
    in_force_at = Text(required=True)
    withdrawn_at = Text(required=True)


class DocumentDetailOut(Schema):
    document = Nested(DocumentOut, required=True)
    editions = List(Nested(EditionOut), required=True)


class EditionNoteIn(Strict):
    note = String(load_default="", validate=Length(max=editions.MAX_NOTE))


class EditionActIn(EditionNoteIn):
    act = String(required=True, validate=OneOf([act for act in editions.ACTS if act != "approve"]))
    review_on = String(load_default="", validate=Length(max=10), metadata=_DAY)


class SealOut(Schema):
    sm3 = Text(required=True)
    problem = Text(required=True, metadata={"description": "What is wrong with the sealed file; empty: it is in order"})


class ReaderOut(Schema):
    name = Text(required=True)
    at = Text(required=True, metadata={"description": "Empty: has not read it yet"})


class ReadersOut(Schema):
    readers = List(Nested(ReaderOut), required=True)


class CoveredOut(Schema):
    item = Text(required=True)
    zh = Text(required=True)
    en = Text(required=True)
    security_class = Text(required=True)
    documents = List(Nested(DocumentOut), required=True)


class CoverageOut(Schema):
    items = List(Nested(CoveredOut), required=True)
