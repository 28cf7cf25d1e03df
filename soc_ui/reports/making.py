"""What making a report needs, from the services of the platform."""

from __future__ import annotations

from operations.reports.making import Means
from soc_ui.locale import _
from soc_ui.services import services


def means() -> Means:
    """The event store as this person sees it, the master key, and who issues."""
    found = services()
    return Means(found.store, found.master_key, found.settings.site_name or _("Liandun"))
