"""What the tests of OSCAL make documents of: the small system with all that can stand in its record."""

from __future__ import annotations

import msgspec

from compliance.reports.material import Material, gather
from compliance.systems import service
from compliance.systems.schema import Filing, Responsible
from tests.compliance.assessment.small_system import SmallSystem


def material_of(small: SmallSystem, template: str = "2025") -> Material:
    """As reports gather it."""
    with small.database.read() as session:
        return gather(session, small.id, template)


def filled(small: SmallSystem) -> None:
    """Every extension, filing and people."""
    with small.database.write() as session:
        draft = service.draft_of(service.get_system(session, small.id))
        more = msgspec.structs.replace(
            draft, extensions=("8.2", "8.3", "8.4", "8.5"), description="两段\n\n说明",
            filing=Filing("440000-1", "2026-01-02", "市公安局"),
            people=(Responsible("leader", "赵一", "020-1"), Responsible("leader", "赵一"), Responsible("contact", "Q")),
        )  # fmt: skip
        service.change_system(session, small.who, small.id, more, expected_version=None)
