"""``/audit``: who did what, from where, with which result; the tree, proofs, export. Filters and place are in the URL."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from flask import Blueprint, Response, redirect, render_template, request, stream_with_context, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from crypto.merkle import leaf_hash, verify_inclusion
from kernel.db import Database
from kernel.errors import LiandunError
from operations.audit import service, tree
from operations.audit.copies import copies
from operations.audit.entry import to_bytes
from operations.audit.heads import log_id, stored_heads, stored_keys
from operations.audit.schema import AuditRecord, CopyState, InclusionProof, PublicKeyRecord, SignedHead, TreeState
from operations.audit.verify import verify as verify_trail
from soc_ui import access, times
from soc_ui.admin import acts, objects
from soc_ui.locale import _
from soc_ui.preferences import local_path
from soc_ui.services import services

PAGE_ROWS = 50
EXPORT_ROWS = 1_000
MAX_TEXT = 160
RESULTS = ("success", "failure", "denied")
audit = Blueprint("audit", __name__)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """The filters of the URL. ``object`` is a type (``alert``) or a type with an id (``alert:17``)."""

    actor: str
    action: str
    object: str
    result: str
    window: times.Window

    def where(self) -> dict[str, str]:
        """The same for :func:`operations.audit.service.listing`."""
        object_type, _colon, object_id = self.object.partition(":")
        return {
            "actor": self.actor,
            "action": self.action,
            "object_type": object_type,
            "object_id": object_id,
            "result": self.result,
            "start": self.window.start,
            "end": self.window.end,
        }

    def args(self) -> dict[str, str]:
        """URL parameters that ask for the same again."""
        texts = {"actor": self.actor, "action": self.action, "object": self.object, "result": self.result}
        chosen = {name: value for name, value in texts.items() if value}
        return chosen if self.window.last == times.EVERYTHING else chosen | self.window.args()


@dataclass(frozen=True)
class Standing:
    """What is known of the trail: its tree, the last signed head, the last verification (None: there was none yet), the copies."""

    tree: TreeState
    head: SignedHead | None
    keys: list[PublicKeyRecord]
    copies: list[CopyState]
    last: AuditRecord | None

    @property
    def checked(self) -> int:
        """Up to which entry the last verification found everything in order."""
        return int(self.last.detail.get("checked", 0)) if self.last else 0

    @property
    def bad_id(self) -> int:
        """The first entry that did not fit, 0 if all did."""
        return int(self.last.detail.get("bad_id", 0)) if self.last else 0

    @property
    def reason(self) -> str:
        """Why that one does not fit, in the language of the page."""
        return reason_text(str(self.last.detail.get("place", ""))) if self.bad_id and self.last else ""

    @property
    def log(self) -> str:
        """The id of the trail's first key ("" before the first head)."""
        return log_id(self.keys)


@audit.get("/audit")
@access.needs("audit.read")
def page() -> str:
    """The trail, newest first, 50 rows a page."""
    asked, cursor = _asked(request.args), request.args.get("cursor", "")
    with services().database.read() as session:
        found = service.listing(session, limit=PAGE_ROWS, cursor=cursor, **asked.where())
        standing = _standing(session)
    return render_template(
        "admin/audit.html",
        asked=asked, page=found, standing=standing, places=place_names(),
        names=acts.names(), object_names=objects.names(), results=RESULTS, presets=times.PRESETS, pretty=pretty, compact=compact,
    )  # fmt: skip


@audit.get("/audit/<int:number>/proof")
@access.needs("audit.read")
def proof(number: int) -> str | Response:
    """That an entry is in the tree of the last signed head; ``?as=json`` for the verifier of a bundle."""
    with services().database.read() as session:
        keys = stored_keys(session)
        head = next(iter(stored_heads(session, log_id(keys), newest=1)), None)
        covered = head is not None and head.size >= number
        found = tree.prove_inclusion(session, number, head.size if head is not None and covered else None)
    if request.args.get("as") != "json":
        return render_template("admin/audit_proof.html", proof=found, head=head if covered else None, holds=_holds(found))
    told = msgspec.to_builtins(found) | {"head": msgspec.to_builtins(head) if covered else None, "keys": msgspec.to_builtins(keys)}
    disposition = f'attachment; filename="liandun-audit-{number}.json"'
    return Response(msgspec.json.encode(told), content_type="application/json", headers={"Content-Disposition": disposition})


@audit.post("/audit/verify")
@access.needs("audit.verify")
def verify() -> BaseResponse:
    """Checks everything (operations.audit.verify); that it was done, and what came out, is an entry of its own."""
    trail = services().trail
    with services().database.read() as session:
        found = verify_trail(session, head_file=trail.head_file.read() if trail else None)
    outcome = "success" if found.ok else "failure"
    detail = {name: value for name, value in msgspec.to_builtins(found).items() if value}
    with services().database.write() as session:
        service.append(session, access.me().actor, "audit.verify", "audit", result=outcome, detail=detail)
    return redirect(local_path(request.form.get("next", url_for("audit.page"))))


@audit.post("/audit/export")
@access.needs("audit.export")
def download() -> Response:
    """All rows that match, as JSON lines, newest first; who took them is written down before the first one is sent."""
    asked = _asked(request.form)
    with services().database.write() as session:
        number = service.append(session, access.me().actor, "audit.export", "audit", detail=asked.args())
    _sign()
    chunks = _lines(services().database, asked.where(), before=number)
    name = f"liandun-audit-{times.now():%Y%m%dT%H%M%SZ}.jsonl"
    return Response(
        stream_with_context(access.while_allowed(chunks)),
        content_type="application/x-ndjson",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def pretty(record: AuditRecord) -> str:
    """The detail of an entry as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(record.detail), indent=2).decode()


def compact(record: AuditRecord) -> str:
    """The detail of an entry in one line: ``name: value``."""
    return " · ".join(f"{name}: {_short(value)}" for name, value in record.detail.items() if value not in ("", None))


def reason_text(place: str) -> str:
    """Why an entry does not fit, in the language of the page; ``place`` as in operations.audit.schema.Verification."""
    known = {
        "changed": _("Its content was changed."),
        "missing": _("It is missing."),
        "chain": _("It does not continue the entry before it."),
        "unreadable": _("It cannot be read: the database file is damaged."),
        "tree": _("The stored tree does not fit the entries."),
        "root": _("From here on the entries are not those that were signed."),
        "rollback": _("More entries were signed than there are: the end was cut or the database was rolled back."),
        "head": _("A signed head was taken away or exchanged."),
        "signature": _("A head was not signed with the key of this trail."),
        "key": _("The signing key is not the one that this trail began with."),
        "file": _("The head file was changed, cut or replaced."),
        "purge": _("The recorded purge does not fit the entries."),
    }
    return known.get(place, _("The end of the trail does not fit what was recorded of it."))


def place_names() -> dict[str, str]:
    """Where heads are kept outside of the database."""
    return {"file": _("Head file"), "syslog": _("Syslog"), "webhook": _("Webhook")}


def _standing(session: Session) -> Standing:
    keys = stored_keys(session)
    head = next(iter(stored_heads(session, log_id(keys), newest=1)), None)
    last = service.listing(session, limit=1, action="audit.verify").entries
    return Standing(tree.state(session), head, keys, copies(session), last[0] if last else None)


def _holds(found: InclusionProof) -> bool:
    """The proof followed from the entry's own bytes to the root, as a verifier elsewhere does it."""
    leaf = leaf_hash(to_bytes(found.entry)) if found.entry else bytes.fromhex(found.leaf)
    path = [bytes.fromhex(step) for step in found.path]
    return verify_inclusion(leaf, found.entry_id - 1, found.size, path, bytes.fromhex(found.root))


def _sign() -> None:
    """A head over what is exported, this act included. An export goes on without one: the scheduler tells what is wrong."""
    trail = services().trail
    if trail is None:
        return
    try:
        trail.sign()
    except (LiandunError, OSError):
        _log.exception("no head could be signed before an export of the audit trail")


def _short(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _asked(args: MultiDict[str, str]) -> Asked:
    texts = {name: args.get(name, "").strip()[:MAX_TEXT] for name in ("actor", "action", "object", "result")}
    # A preset wins over bounds: the form carries those of the chosen range along while one picks another.
    when = MultiDict({"last": args["last"]}) if args.get("last") else args
    return Asked(**texts, window=times.window(when, default=times.EVERYTHING))


def _lines(database: Database, where: dict[str, str], *, before: int) -> Iterator[bytes]:
    cursor = str(before)
    while cursor:
        with database.read() as session:
            found = service.listing(session, limit=EXPORT_ROWS, cursor=cursor, **where)
        yield b"".join(msgspec.json.encode(entry) + b"\n" for entry in found.entries)
        cursor = found.cursor
