"""A report made on request, in one place for console, interface and command: who may see the system gets it, and the trail knows.

The permission is ``compliance.read``, checked where the request comes in; taking a check-list in needs ``compliance.write``.
An evidence package has only that evidence of incidents which whoever asks may open there (``incidents.write``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy.orm import Session

from compliance.reports import checklist, oscal, package
from compliance.reports.material import Material, gather
from compliance.reports.papers import PAPERS, paper
from compliance.reports.words import Words
from crypto.secret import MasterKey
from crypto.sm3 import sm3
from kernel.db import Database
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.documents import docx, pdf
from operations.errors import Invalid

_MEDIA: Mapping[str, str] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "zip": "application/zip",
}
KINDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(PAPERS, ("docx", "pdf")),
    "checklist": ("xlsx",),
    "oscal": ("zip",),
    **{f"oscal-{model}": ("json",) for model in oscal.MODELS},
    "evidence": ("zip",),
}
"""Kind of report → its formats, the first one where none is asked for."""


class Wish(msgspec.Struct, frozen=True):
    """What is asked for. ``form`` "" = the first format of the kind; ``template`` of the score."""

    kind: str
    form: str = ""
    language: str = "zh"
    template: str = "2025"


class Means(msgspec.Struct, frozen=True):
    """``master`` None: no evidence package, as the platform cannot sign. ``issuer`` stands at the foot of papers."""

    master: MasterKey | None = None
    issuer: str = "Liandun"


class Exported(msgspec.Struct, frozen=True):
    """A file. ``name`` has only letters that any file system takes."""

    name: str
    media_type: str
    octets: bytes


def export(
    database: Database, means: Means, who: Principal, system_id: int, wish: Wish, attachments: Sequence[package.Attachment] = ()
) -> Exported:
    """Raises NotFound, Invalid, Conflict, LayoutError. A file takes seconds: only what must be is within a transaction."""
    form = _form(wish)
    Words(wish.language)
    if attachments and wish.kind != "evidence":
        raise Invalid("files are attached to an evidence package only", field="attachments")
    if wish.kind == "evidence":
        with database.write() as session:
            material = gather(session, system_id, wish.template)
            octets = package.build(session, means.master, who, material, wish.language, attachments)
            _note(session, who.actor, system_id, wish, form, octets)
    else:
        with database.read() as session:
            material = gather(session, system_id, wish.template)
        octets = _made(material, means, wish, form)
        with database.write() as session:
            _note(session, who.actor, system_id, wish, form, octets)
    day = material.gathered_at[:10].replace("-", "")
    return Exported(f"mlps-{system_id}-{wish.kind}-{day}.{form}", _MEDIA[form], octets)


def _form(wish: Wish) -> str:
    forms = KINDS.get(wish.kind)
    if forms is None:
        raise Invalid(f"there is no report {wish.kind[:24]!r}", ", ".join(KINDS), field="kind")
    form = wish.form or forms[0]
    if form not in forms:
        raise Invalid(f"{wish.kind} is not made as {form[:12]!r}", ", ".join(forms), field="format")
    return form


def _made(material: Material, means: Means, wish: Wish, form: str) -> bytes:
    if wish.kind == "checklist":
        return checklist.write(material, wish.language)
    if wish.kind == "oscal":
        return oscal.bundle(material, wish.language)
    if wish.kind in PAPERS:
        made = paper(material, wish.kind, wish.language, means.issuer)
        return pdf(made) if form == "pdf" else docx(made)
    return oscal.document(material, wish.kind.removeprefix("oscal-"), wish.language)


def _note(session: Session, actor: Actor, system_id: int, wish: Wish, form: str, octets: bytes) -> None:
    detail = {"kind": wish.kind, "format": form, "language": wish.language, "template": wish.template, "sm3": sm3(octets).hex()}
    audit.append(session, actor, "compliance.export", "mlps_system", system_id, detail=detail)
