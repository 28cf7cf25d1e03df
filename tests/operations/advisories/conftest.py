"""The city of the warnings, with devices of three bureaus."""

from __future__ import annotations

import pytest

from kernel.db import Database
from kernel.zones.plan import Asset
from operations.assets import register
from operations.audit.schema import Actor
from operations.zones import service as zones
from tests.operations.warnings.conftest import Clock, city, time  # noqa: F401 — fixtures


@pytest.fixture
def estate(city: Database) -> Database:  # noqa: F811
    with city.write() as session:
        table = zones.zone_table(session)
        for key, address in (("web1", "10.70.0.1"), ("wincc", "10.60.0.1"), ("cam1", "10.50.0.1")):
            register.register(session, Actor("an.quan"), Asset(id=key, name=f"{key} name", addresses=(address,)), table)
    return city
