"""Alice works on alerts here: the system administrator of the other rooms may not."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import update

from kernel.db import Database
from operations.accounts.models import User
from operations.accounts.schema import Principal


@pytest.fixture
def database(database: Database) -> Database:
    with database.write() as session:
        session.execute(update(User).values(role="analyst"))
    return database


@pytest.fixture
def alice(alice: Principal) -> Principal:
    return msgspec.structs.replace(alice, role="analyst")
