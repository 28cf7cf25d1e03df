"""Records of management documents as other rooms see them."""

from __future__ import annotations

import msgspec


class DocumentDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said about a document. ``items``: ids of the catalogue; ``organisation`` "" = the operator."""

    kind: str
    title: str
    owner: str
    organisation: str = ""
    description: str = ""
    items: tuple[str, ...] = ()


class EditionDraft(msgspec.Struct, frozen=True):
    """What is said about a new edition. ``label``: as the paper has it (V2.1); ``change``: what is new."""

    label: str
    file_name: str
    change: str = ""


class Edition(msgspec.Struct, frozen=True):
    """An edition without its file. ``state``: draft, approved, in_force, under_review, withdrawn; "" = not yet (moments, names)."""

    id: int
    number: int
    label: str
    state: str
    file_name: str
    media: str
    size: int
    sm3: str
    change: str
    added_by: str
    added_at: str
    approved_by: str
    approved_at: str
    in_force_at: str
    withdrawn_at: str


class DocumentRecord(msgspec.Struct, frozen=True):
    """A document. ``state``: of the edition that holds, else of the last one, "" = no edition yet; ``in_force`` its number or 0."""

    id: int
    kind: str
    title: str
    organisation: str
    owner: str
    description: str
    state: str
    edition: int
    in_force: int
    review_on: str
    review_overdue: bool
    items: list[str]
    created_by: str
    created_at: str
    updated_by: str
    updated_at: str
    version: int


class DocumentDetail(msgspec.Struct, frozen=True):
    """With its editions, the newest first."""

    document: DocumentRecord
    editions: list[Edition]


class DocumentFilter(msgspec.Struct, frozen=True):
    """``review_by``: to be reviewed until this day (2026-11-23), ``overdue``: that day has passed; ``in_force`` None = all."""

    kind: str = ""
    organisation: str = ""
    item: str = ""
    text: str = ""
    in_force: bool | None = None
    review_by: str = ""
    overdue: bool = False


class DocumentPage(msgspec.Struct, frozen=True):
    """One page, last changed first; ``cursor`` "" at the end."""

    documents: list[DocumentRecord]
    cursor: str = ""


class Reader(msgspec.Struct, frozen=True):
    """Who has read an edition; ``at`` "" = has not."""

    name: str
    at: str = ""


class Reminder(msgspec.Struct, frozen=True):
    """A reminder that went out. ``kind``: soon, or overdue."""

    review_on: str
    kind: str
    sent_at: str


class Covered(msgspec.Struct, frozen=True):
    """A management item of a system with the documents that hold for it."""

    item: str
    zh: str
    en: str
    security_class: str
    documents: list[DocumentRecord]

    @property
    def lacking(self) -> bool:
        """There is no document in force."""
        return not self.documents


class Cited(msgspec.Struct, frozen=True):
    """What an evidence reference points at. ``holds``: that edition is in force now."""

    document: int
    title: str
    edition: int
    state: str
    sm3: str
    holds: bool
