"""The scoring templates by name. One more is a module with ``NAME`` and ``outcome``, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from compliance.catalogue.model import Requirements
from compliance.scoring import template_2021, template_2025
from compliance.scoring.assessed import Assessed
from compliance.scoring.outcome import Outcome

TEMPLATES: Mapping[str, Callable[[Requirements, Assessed], Outcome]] = {
    template_2021.NAME: template_2021.outcome,
    template_2025.NAME: template_2025.outcome,
}
