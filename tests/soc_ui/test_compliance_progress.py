"""The series of the chart of progress: the past as it was, then what is planned."""

from __future__ import annotations

from compliance.remediation.schema import Month, PlanLine, Progress
from soc_ui.compliance.progress import MOST_AHEAD, series


def test_months_of_the_past_and_of_the_plan() -> None:
    months = [Month("2026-10", 5, 1, 4, 1, 2), Month("2026-11", 2, 3, 3, 0, 1)]
    plan = [PlanLine("", "", 9), PlanLine("2026-10", "水务局", 1), PlanLine("2026-12", "", 2), PlanLine("2026-12", "水务局", 3)]
    assert series(Progress(months, plan, {})) == {
        "months": ["2026-10", "2026-11", "2026-12"],
        "planned": [2, 1, 5],
        "closed": [1, 3, None],
        "open": [4, 3, None],
        "overdue": [1, 0, None],
    }


def test_no_more_than_a_year_ahead() -> None:
    plan = [PlanLine(f"2027-{month:02}", "", 1) for month in range(1, 13)] + [PlanLine("2028-01", "", 1)]
    told = series(Progress([Month("2026-12", 0, 0, 0, 0)], plan, {}))
    assert len(told["months"]) == 1 + MOST_AHEAD
    assert told["months"][-1] == "2027-12"
