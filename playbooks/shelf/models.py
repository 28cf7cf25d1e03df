"""Tables of the shelf. The documents themselves lie in ``playbook_documents``, once for each content, beside those of runs."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base

ORIGINS: tuple[str, ...] = ("library", "imported", "own")
"""Shipped with the platform, brought from elsewhere, or written here."""


class ShelfPlaybook(Base):
    """One playbook in all its versions. ``playbook_id`` is the id that every version of the document has (``playbook--UUID``).

    name, names, labels  of the version in force, else of the newest; ``names`` JSON object: language → name, for further languages
    released             the number of the version in force, NULL = none: only that one is run, by people and triggers
    newest               the number of the last version
    origin               of the first version, one of ORIGINS
    enabled              False: nobody starts it, whatever is in force
    revision             grows with every change (ETag)
    """

    __tablename__ = "playbooks"

    playbook_id: Mapped[str] = mapped_column(String(160), primary_key=True)
    name: Mapped[str] = mapped_column(String(512))
    names: Mapped[str] = mapped_column(Text)
    labels: Mapped[str] = mapped_column(Text)  # JSON list
    origin: Mapped[str] = mapped_column(String(16))
    enabled: Mapped[bool]
    released: Mapped[int | None]
    newest: Mapped[int]
    revision: Mapped[int]
    created_at: Mapped[str] = mapped_column(String(27))
    created_by: Mapped[str] = mapped_column(String(160))
    updated_at: Mapped[str] = mapped_column(String(27))
    updated_by: Mapped[str] = mapped_column(String(160))

    __table_args__ = (Index("ix_playbooks_name", "name", "playbook_id"),)


class PlaybookVersion(Base):
    """A version: never changed but for what the check says, and when it came into force.

    runnable     no error was found when it was saved, or last checked; ``problems`` JSON list of what was
    calls        JSON list: ids of the playbooks that it runs
    modified     the document's own name of this version
    released_at  when it came into force (last), "" = never
    """

    __tablename__ = "playbook_versions"

    playbook_id: Mapped[str] = mapped_column(ForeignKey("playbooks.playbook_id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(ForeignKey("playbook_documents.digest"))
    modified: Mapped[str] = mapped_column(String(40))
    origin: Mapped[str] = mapped_column(String(16))
    runnable: Mapped[bool]
    problems: Mapped[str] = mapped_column(Text)
    calls: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(String(27))
    created_by: Mapped[str] = mapped_column(String(160))
    released_at: Mapped[str] = mapped_column(String(27))
    released_by: Mapped[str] = mapped_column(String(160))

    __table_args__ = (Index("ix_playbook_versions_digest", "digest"),)
