"""Hand-out links: one report, evidence package or view of one assessment for somebody without an account, until a day.

    record, token = make(database, means, who, system_id, HandoutDraft("gap", "王工", "2026-12-31T00:00:00Z", password="…"))
    call(database, master, token, address)                          # what there is, or that a password is asked for
    call(database, master, token, address, opening=True, password="…")

Invariants: the token (256 random bits) is kept as its SM3 only; a report is the file of the moment when the link was made, sealed;
an unknown, expired or revoked link, and one whose maker may not hand out any more, say the same; each call is audited; an address
has MOST_CALLS in WINDOW seconds over all links, a link MOST_FAILURES wrong passwords before it is locked for LOCK seconds.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from compliance.documents import sealing
from compliance.reports.exporting import KINDS, Exported, Means, Wish, export
from compliance.reports.words import LANGUAGES
from compliance.review.models import HandoutCallRow, HandoutRow
from compliance.review.schema import Called, HandoutDraft, HandoutRecord
from compliance.systems import rows
from crypto.password import hash_password, verify_password
from crypto.secret import MasterKey
from kernel.db import Database
from operations import clock
from operations.accounts.lockout import place
from operations.accounts.models import User
from operations.accounts.permissions import PERMISSIONS
from operations.accounts.schema import Principal
from operations.accounts.tokens import new_token, token_hash
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.written import choice, moment, name, text

ASSESSMENT = "assessment"
WHAT: tuple[str, ...] = (ASSESSMENT, *KINDS)
PERMISSION = "compliance.share"
LONGEST, MOST_OPEN, MOST_BYTES = 90 * 86_400, 50, 64 << 20
"""Seconds that a link holds at most; links of a system that are open at once; octets of a file."""
MOST_CALLS, WINDOW = 30, 600
MOST_FAILURES, LOCK = 5, 900
SHORTEST_PASSWORD, MAX_PASSWORD, MAX_RECIPIENT = 8, 128, 128


def make(database: Database, means: Means, who: Principal, system_id: int, draft: HandoutDraft) -> tuple[HandoutRecord, str]:
    """The link and its token, which is told this once. Raises NotFound, Invalid, Denied, Conflict, LayoutError."""
    expires = _checked(who, draft)
    with database.read() as session:
        rows.find_system(session, system_id)
    hashed = hash_password(draft.password) if draft.password else ""
    file: Exported | None = None
    if draft.what != ASSESSMENT:
        if means.master is None:
            raise Conflict("there is no master key, so no file can be sealed", "see docs/secrets.md")
        file = export(database, means, who, system_id, Wish(draft.what, draft.form, draft.language, draft.template))
        if len(file.octets) > MOST_BYTES:
            raise Invalid(f"a file that is handed out has at most {MOST_BYTES >> 20} MiB", "hand it over by a way of its own")
    token = new_token()
    with database.write() as session:
        rows.find_system(session, system_id, for_update=True)
        _end_expired(session)
        now = clock.now()
        live = select(HandoutRow.id).where(
            HandoutRow.system_id == system_id, HandoutRow.revoked_at == "", HandoutRow.expires_at > now
        )
        if len(session.execute(live.limit(MOST_OPEN)).all()) >= MOST_OPEN:
            raise Conflict(f"a system has at most {MOST_OPEN} links at once", "revoke one first")
        sealed = None
        if file is not None and means.master is not None:
            sealed = sealing.seal(session, means.master, who.actor, file.octets, f"hand-out of the system {system_id}")
        row = HandoutRow(
            system_id=system_id, what=draft.what, language=draft.language,
            recipient=name(draft.recipient, "recipient", MAX_RECIPIENT), token_hash=token_hash(token),
            password_hash=hashed, expires_at=expires, maker=who.user_id, made_by=who.name[:160],
            made_at=now, revoked_by="", revoked_at="", file_name=file.name if file else "", media=file.media_type if file else "",
            sm3=sealed.sm3 if sealed else "", size=sealed.size if sealed else 0, head=sealed.head if sealed else "",
            package=sealed.package if sealed else None, opened=0, last_at="", last_from="", failures=0, locked_until="", version=1,
        )  # fmt: skip
        session.add(row)
        session.flush()
        detail = {"system": system_id, "what": row.what, "recipient": row.recipient, "expires": expires, "password": bool(hashed),
                  "sm3": row.sm3}  # fmt: skip
        audit.append(session, who.actor, "handout.make", "handout", row.id, detail=detail)
        return _record(row), token


def revoke(
    session: Session, who: Principal, system_id: int, number: int, reason: str, *, expected_version: int | None = None
) -> HandoutRecord:
    """It opens nothing any more. Raises NotFound, Invalid, Stale; Conflict where it is revoked."""
    rows.find_system(session, system_id, for_update=True)
    row = session.get(HandoutRow, number, with_for_update=True)
    if row is None or row.system_id != system_id:
        raise NotFound(f"the system {system_id} has no hand-out {number}")
    rows.check_version(row.version, expected_version)
    if row.revoked_at:
        raise Conflict("the link is revoked already")
    words = text(reason, "reason", 4_000, needed=True)
    row.revoked_by, row.revoked_at, row.package, row.version = who.name[:160], clock.now(), None, row.version + 1
    session.flush()
    audit.append(session, who.actor, "handout.revoke", "handout", row.id, detail={"system": system_id, "reason": words})
    return _record(row)


def list_handouts(session: Session, system_id: int, *, limit: int = 200) -> list[HandoutRecord]:
    """Newest first. Raises NotFound."""
    rows.find_system(session, system_id)
    query = (
        select(HandoutRow).where(HandoutRow.system_id == system_id).order_by(HandoutRow.id.desc()).limit(max(1, min(limit, 500)))
    )
    return [_record(row) for row in session.execute(query).scalars()]


def call(
    database: Database, master: MasterKey | None, token: str, address: str, *, opening: bool = False, password: str = ""
) -> Called:
    """Somebody calls a link, or opens what it is for. The caller has no account, so ``database`` is that of nobody's limits."""
    with database.write() as session:
        if not _counted(session, address):
            return Called("busy")
        row = _find(session, token)
        refused = "gone" if row is None or not _holds(session, row) else "locked" if row.locked_until > clock.now() else ""
        if row is None or refused:
            if row is not None and row.expires_at <= clock.now():
                row.package = None
            _note(session, row, address, "denied", refused)
            return Called(refused)
        stored, record = row.password_hash, _record(row)
        if stored and not opening:
            _note(session, row, address, "success", "password asked for")
            return Called("password")
        if not stored:
            return _opened(session, master, row, address, record) if opening else _looked(session, row, address, record)
        row.failures += 1  # before the password is looked at, so that a burst of guesses cannot slip past the limit
        if row.failures >= MOST_FAILURES:
            row.failures, row.locked_until = 0, clock.shift(clock.now(), LOCK)
    right = verify_password(stored, password[:MAX_PASSWORD])
    with database.write() as session:
        row = _find(session, token)
        if row is None or not _holds(session, row):
            _note(session, row, address, "denied", "gone")
            return Called("gone")
        if not right:
            _note(session, row, address, "failure", "wrong password")
            return Called("wrong")
        row.failures, row.locked_until = 0, ""
        return _opened(session, master, row, address, _record(row))


def _checked(who: Principal, draft: HandoutDraft) -> str:
    """The moment when it ends. Raises Invalid, Denied."""
    if who.key_name or not who.user_id or not who.may(PERMISSION):
        raise Denied("only a person who may hand out makes such a link", "log in with an account of your own")
    choice(draft.what, "what", WHAT)
    choice(draft.language, "language", LANGUAGES)
    name(draft.recipient, "recipient", MAX_RECIPIENT)
    now, expires = clock.now(), moment(draft.expires_at, "expires_at")
    if expires is None or not now < expires <= clock.shift(now, LONGEST):
        raise Invalid(f"a link ends within {LONGEST // 86_400} days", "name the day on which it ends", field="expires_at")
    if draft.password and not SHORTEST_PASSWORD <= len(draft.password) <= MAX_PASSWORD:
        raise Invalid(f"a password has {SHORTEST_PASSWORD} to {MAX_PASSWORD} characters", field="password")
    return expires


def _find(session: Session, token: str) -> HandoutRow | None:
    if not 0 < len(token) <= 128:
        return None
    query = select(HandoutRow).where(HandoutRow.token_hash == token_hash(token)).with_for_update()
    return session.execute(query).scalar_one_or_none()


def _holds(session: Session, row: HandoutRow) -> bool:
    maker = session.get(User, row.maker)
    entitled = maker is not None and maker.active and maker.removed_at is None and PERMISSION in PERMISSIONS.get(maker.role, ())
    return not row.revoked_at and row.expires_at > clock.now() and entitled


def _looked(session: Session, row: HandoutRow, address: str, record: HandoutRecord) -> Called:
    _note(session, row, address, "success", "looked")
    return Called("open", record)


def _opened(session: Session, master: MasterKey | None, row: HandoutRow, address: str, record: HandoutRecord) -> Called:
    content = b""
    if row.what != ASSESSMENT:
        if master is None or row.package is None:
            raise Conflict("the file cannot be opened here")
        content = sealing.unseal(session, master, _Sealed(row.package, row.sm3, row.size, row.head))
    row.opened, row.last_at, row.last_from = row.opened + 1, clock.now(), address[:64]
    _note(session, row, address, "success", "opened")
    return Called("open", record, content)


class _Sealed:
    """The package of a link that is there."""

    def __init__(self, package: bytes, sm3: str, size: int, head: str) -> None:
        self.package, self.sm3, self.size, self.head = package, sm3, size, head


def _counted(session: Session, address: str) -> bool:
    """Count this call of the address; False beyond the limit, which is written down once."""
    now, key = clock.now(), place(address)[:64]
    session.execute(delete(HandoutCallRow).where(HandoutCallRow.since < clock.shift(now, -WINDOW)))
    build = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement: Any = build(HandoutCallRow)
    session.connection().execute(statement.values(place=key, since=now, calls=0).on_conflict_do_nothing())
    query = select(HandoutCallRow).where(HandoutCallRow.place == key).with_for_update()
    row = session.execute(query.execution_options(populate_existing=True)).scalar_one()
    row.calls += 1
    if row.calls == MOST_CALLS + 1:
        audit.append(
            session, Actor("handout", address), "handout.open", "handout", result="denied", detail={"reason": "too many calls"}
        )
    return row.calls <= MOST_CALLS


def _note(session: Session, row: HandoutRow | None, address: str, result: str, reason: str) -> None:
    actor = Actor(f"handout:{row.id}" if row is not None else "handout", address)
    detail = {"system": row.system_id, "what": row.what, "reason": reason} if row is not None else {"reason": "no such link"}
    audit.append(session, actor, "handout.open", "handout", row.id if row is not None else "", result=result, detail=detail)


def _end_expired(session: Session) -> None:
    """Files of links that have ended are not kept."""
    late = select(HandoutRow).where(HandoutRow.expires_at <= clock.now(), HandoutRow.package.is_not(None))
    for row in session.execute(late).scalars():
        row.package = None


def _record(row: HandoutRow) -> HandoutRecord:
    state = "revoked" if row.revoked_at else "open" if row.expires_at > clock.now() else "expired"
    found = {one: getattr(row, one) for one in HandoutRecord.__struct_fields__ if one not in ("state", "has_password")}
    return HandoutRecord(**found, state=state, has_password=bool(row.password_hash))
