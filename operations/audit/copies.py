"""Heads on other machines: what was signed is sent on, so that taking over this machine does not suffice to bend the trail.

By syslog (RFC 5424; UDP, TCP with octet counting after RFC 6587, TLS after RFC 5425): facility 13 (log audit), message id
``audit-head``, the message is the line of the head file. By webhook: a message ``audit.head`` to a target that exists in the
console, signed and repeated like all others. After an outage the heads that are missing there are sent in their order.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from kernel.db import Database
from kernel.errors import LiandunError
from operations import clock
from operations.audit.models import AuditCopy, AuditKey, AuditSignedHead
from operations.audit.schema import CopyState, PublicKeyRecord, SignedHead
from operations.webhooks.models import WebhookDelivery, WebhookTarget
from operations.webhooks.outbox import delivery_row

PRIORITY = 13 * 8 + 5  # facility "log audit", severity "notice" (RFC 5424 6.2.1)
PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
HEAD_EVENT = "audit.head"
TIMEOUT_SECONDS = 5.0
_MOST = 500


class CopyFailed(LiandunError):
    """Heads could not be handed to the other machine; tried again at the next turn."""


def note_copy(session: Session, place: str, size: int | None, error: str = "") -> None:
    """Remember how far a place has got; ``size`` None leaves that as it was."""
    values: dict[str, object] = {"time": clock.now(), "error": error[:512]} | ({} if size is None else {"size": size})
    changed = session.connection().execute(update(AuditCopy).where(AuditCopy.place == place).values(values))
    if not changed.rowcount:
        session.connection().execute(insert(AuditCopy), [{"place": place, "size": 0, **values}])


def copies(session: Session) -> list[CopyState]:
    """All places that heads have gone to."""
    rows = session.execute(select(AuditCopy).order_by(AuditCopy.place)).scalars()
    return [CopyState(row.place, row.size, row.time, row.error) for row in rows]


def send_copies(database: Database, syslog: str = "", webhook: str = "") -> None:
    """Hand what is new to the configured places. Raises CopyFailed after all of them were tried.

    syslog   ``udp://``, ``tcp://`` or ``tls://host[:port]``
    webhook  name of a webhook target
    """
    problems = []
    for place, target in (("syslog", syslog), ("webhook", webhook)):
        if not target:
            continue
        try:
            (_by_syslog if place == "syslog" else _by_webhook)(database, target)
        except (OSError, LiandunError) as error:
            told = error.message if isinstance(error, LiandunError) else f"{target}: {error.strerror or error}"
            problems.append(f"{place}: {told}")
            with database.write() as session:
                note_copy(session, place, None, told)
    if problems:
        raise CopyFailed("; ".join(problems))


def syslog_message(head: SignedHead, host: str, keys: Sequence[PublicKeyRecord] = ()) -> bytes:
    """One head as a message of RFC 5424 (``keys`` are not sent: they are asked for by id when somebody verifies)."""
    header = f"<{PRIORITY}>1 {head.time} {host} liandun {os.getpid()} audit-head - "
    return header.encode("ascii", "replace") + msgspec.json.encode(head)


def _waiting(session: Session, place: str) -> list[SignedHead]:
    done = session.execute(select(AuditCopy.size).where(AuditCopy.place == place)).scalar_one_or_none() or 0
    log = session.execute(select(AuditKey.id).where(AuditKey.number == 1)).scalar_one_or_none() or ""
    query = select(AuditSignedHead).where(AuditSignedHead.size > done).order_by(AuditSignedHead.size).limit(_MOST)
    return [SignedHead(log, row.size, row.root, row.time, row.key_id, row.signature) for row in session.execute(query).scalars()]


def _by_syslog(database: Database, target: str) -> None:
    with database.read() as session:
        heads = _waiting(session, "syslog")
    if not heads:
        return
    host = socket.gethostname() or "-"
    _send([syslog_message(head, host) for head in heads], target)
    with database.write() as session:
        note_copy(session, "syslog", heads[-1].size)


def _send(messages: Sequence[bytes], target: str) -> None:
    parts = urlsplit(target)
    address = (parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0))
    if parts.scheme == "udp":
        family, kind, _protocol, _name, where = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as sock:
            for message in messages:
                sock.sendto(message, where)
        return
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.create_connection(address, TIMEOUT_SECONDS))
        if parts.scheme == "tls":
            sock = stack.enter_context(ssl.create_default_context().wrap_socket(sock, server_hostname=address[0]))
        for message in messages:
            sock.sendall(b"%d %s" % (len(message), message))
        # Syslog has no acknowledgement: a receiver that closes after our end has at least taken everything off the line.
        sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(TimeoutError):
            while sock.recv(4096):
                pass


def _by_webhook(database: Database, name: str) -> None:
    with database.write() as session:
        target = session.execute(select(WebhookTarget).where(WebhookTarget.name == name)).scalars().first()
        if target is None:
            raise CopyFailed(f"there is no webhook {name!r}", "make it in the console, or correct [audit] webhook")
        heads = _waiting(session, "webhook")
        if heads:
            rows = [delivery_row(target.id, HEAD_EVENT, msgspec.to_builtins(head)) for head in heads]
            session.connection().execute(insert(WebhookDelivery), rows)
            note_copy(session, "webhook", heads[-1].size)
