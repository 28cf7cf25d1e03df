"""Tables of daily probes: targets, files that were brought to them, and the sealed evidence of their runs."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from compliance.importers.contract import Tool
from compliance.probes.contract import Source
from kernel.db.base import Base

FILES: Mapping[str, Source] = {
    "huawei-config": "network_device",
    "h3c-config": "network_device",
    "cisco-config": "network_device",
    "windows-export": "windows",
    "mysql-export": "mysql",
    "dm-export": "dm",
    "tomcat-conf": "tomcat",
    "redis-conf": "redis",
    "cloud-export": "cloud",
}
"""Files that are handed in, and which probes judge them."""
REPORTS: Mapping[str, Tool] = {"arf-report": "arf", "lynis-report": "lynis", "nessus-report": "nessus", "wazuh-report": "wazuh"}
"""Reports of other tools, which bring their verdicts along."""
WAYS: tuple[str, ...] = ("platform", "local", "ssh", "tls", "postgresql", *FILES, *REPORTS)
"""This platform's own state; its machine; a Linux host by SSH; an endpoint; a database; a file."""

OUTWARD = frozenset({"ssh", "tls", "postgresql"})
"""Ways that lead to an address, or take a secret along."""

_ID = BigInteger().with_variant(Integer, "sqlite")
_MOMENT = String(27)


class TargetRow(Base):
    """A way into an object (``object_id`` 0: the system as a whole).

    place    ssh, tls: HOST:PORT as read_host takes it; a file: where below [compliance] folder, the newest by * and ?, "" where
             it is brought (FileRow); else ""
    login    ssh: the account on the host
    secret   name in the secret store: key or password (ssh), URL (postgresql); never the secret itself
    host     a report: whose results, "" where it is about one host
    ca       tls: authorities or the very certificate (PEM) that it is held against, "" = the system's authorities
    next_at  when it is looked at next
    run_at, read_at  when it was tried, and could be read, last; ``error`` why not, "" where it could
    evidence  SM3 of the sealed evidence of the last run that could be read
    version  of what people entered, not of what came of it
    """

    __tablename__ = "compliance_probe_targets"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"))
    object_id: Mapped[int] = mapped_column(_ID)
    way: Mapped[str] = mapped_column(String(16))
    place: Mapped[str] = mapped_column(String(300))
    login: Mapped[str] = mapped_column(String(64))
    secret: Mapped[str] = mapped_column(String(128))
    enabled: Mapped[bool]
    next_at: Mapped[str] = mapped_column(_MOMENT)
    run_at: Mapped[str] = mapped_column(_MOMENT)
    read_at: Mapped[str] = mapped_column(_MOMENT)
    error: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(String(64))
    created_by: Mapped[str] = mapped_column(String(160))
    created_at: Mapped[str] = mapped_column(_MOMENT)
    host: Mapped[str] = mapped_column(String(300), server_default="")
    ca: Mapped[str] = mapped_column(Text, server_default="")
    version: Mapped[int] = mapped_column(server_default="1")

    __table_args__ = (
        UniqueConstraint("system_id", "object_id", "way", "place", "secret", name="uq_compliance_probe_targets"),
        Index("ix_compliance_probe_targets_next", "enabled", "next_at", "id"),
        {"sqlite_autoincrement": True},
    )


class FileRow(Base):
    """The file that was brought to a target last, sealed as evidence is.

    sm3, size  of the file inside; ``head``: SM3 of the end of its custody record
    """

    __tablename__ = "compliance_probe_files"

    target_id: Mapped[int] = mapped_column(
        ForeignKey("compliance_probe_targets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    name: Mapped[str] = mapped_column(String(128))
    at: Mapped[str] = mapped_column(_MOMENT)
    brought_by: Mapped[str] = mapped_column(String(160))
    sm3: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    head: Mapped[str] = mapped_column(String(64))
    package: Mapped[bytes] = mapped_column(LargeBinary, nullable=False, deferred=True)


class RunRow(Base):
    """What was read of a target once: all results with their evidence, sealed as evidence is. Stays where the target is removed.

    sm3, size  of the file inside; ``head``: SM3 of the end of its custody record
    """

    __tablename__ = "compliance_probe_runs"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"))
    object_id: Mapped[int] = mapped_column(_ID)
    way: Mapped[str] = mapped_column(String(16))
    place: Mapped[str] = mapped_column(String(300))
    at: Mapped[str] = mapped_column(_MOMENT)
    sm3: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    head: Mapped[str] = mapped_column(String(64))
    package: Mapped[bytes] = mapped_column(LargeBinary, nullable=False, deferred=True)

    __table_args__ = (
        Index("ix_compliance_probe_runs_sm3", "sm3"),
        Index("ix_compliance_probe_runs_system", "system_id", "id"),
        Index("ix_compliance_probe_runs_at", "at", "id"),
        {"sqlite_autoincrement": True},
    )
