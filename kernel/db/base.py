"""The declarative base of all tables. The tables themselves belong to the rooms of ``operations`` (models.py)."""

from __future__ import annotations

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

# Names that do not depend on the engine, so that a migration can find a constraint again.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every table. Moments are stored as ``@timestamp`` text (kernel.event.timestamp): text order is time order."""

    metadata = MetaData(naming_convention=NAMING)
