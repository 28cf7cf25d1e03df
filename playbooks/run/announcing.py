"""Telling people that a run asks them: a message ``playbook.question`` to the webhook targets, with a link that is sealed.

The link says which question it is for and which request was asked about. Whoever opens it has to log in like everybody else; what
the seal adds is that a link out of a chat room can be told from one that somebody made up, and from one whose question has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy.orm import Session

from crypto.errors import CryptoError
from crypto.secret import MasterKey
from operations.webhooks.outbox import announce
from playbooks.run.asking import WORDS

EVENT = "playbook.question"
_CONTEXT = "playbooks.question.link"
_SHOWN = ("kind", "title", "digest", "number", "expires_at")


class QuestionAnnouncer:
    """``playbooks.run.asking.Tell``: queued in the transaction that asks, so what is told is what is asked."""

    def __init__(self, key: MasterKey, origin: str) -> None:
        """``origin``: how people reach the console (https://soc.example.cn); "" = links are paths."""
        self._key, self._origin = key, origin.rstrip("/")

    def __call__(self, session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            announce(session, EVENT, self._message(row), level="high" if row["kind"] == "approval" else "medium")

    def _message(self, row: Mapping[str, Any]) -> dict[str, Any]:
        words = msgspec.json.decode(row["request"]).get(WORDS, {})
        seal = quote(sealed_link(self._key, row["id"], row["digest"]), safe="")
        return {
            "question_id": row["id"],
            "run_id": row["run_id"],
            **{name: row[name] for name in _SHOWN},
            "line": row["line"][:1000],
            "words": {language: {name: text[:1000] for name, text in said.items()} for language, said in words.items()},
            "roles": msgspec.json.decode(row["roles"]),
            "link": f"{self._origin}/playbooks/questions/{row['id']}?seal={seal}",
        }


def sealed_link(key: MasterKey, number: int, digest: str) -> str:
    """What a link to the question ``number`` about the request ``digest`` carries."""
    return key.seal(f"{number} {digest}".encode(), _CONTEXT)


def is_genuine(key: MasterKey, seal: str, number: int, digest: str) -> bool:
    """Whether this platform made the link, for this question and this very request."""
    try:
        return key.unseal(seal, _CONTEXT).decode() == f"{number} {digest}"
    except (CryptoError, UnicodeDecodeError):
        return False
