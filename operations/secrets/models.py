"""The table of secrets that playbooks name.

Its room is ``playbooks.vault``; it stands here because rotation and backups have to know of every sealed value, whatever else is
loaded.
"""

from __future__ import annotations

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base


class PlaybookSecret(Base):
    """A secret by the name that playbooks give (``kms_key_identifier``), sealed under the master key."""

    __tablename__ = "playbook_secrets"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)
    hosts: Mapped[str] = mapped_column(Text, default="[]")  # JSON list
    updated_at: Mapped[str] = mapped_column(String(27))
    updated_by: Mapped[str] = mapped_column(String(160))


def playbook_secret_context(name: str) -> str:
    """What a sealed secret is bound to: it does not open under another name."""
    return f"playbook-secret:{name}"
