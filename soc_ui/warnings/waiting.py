"""What waits for a person, for the menu and the overview."""

from __future__ import annotations

from operations.warnings import service
from operations.warnings.schema import Waiting
from soc_ui import access
from soc_ui.frame_session import frame_session


def waiting_now() -> Waiting:
    """What waits for the person behind this request, for the menu and the overview."""
    if not access.me().may("warnings.read"):
        return Waiting()
    with frame_session() as session:
        return service.waiting(session, access.me())
