"""The small system."""

from __future__ import annotations

import pytest

from tests.compliance.assessment.small_system import SmallSystem
from tests.operations.organisations_city import City


@pytest.fixture
def small(city: City) -> SmallSystem:
    return SmallSystem(city)
