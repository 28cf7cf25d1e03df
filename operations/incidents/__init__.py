"""Incidents (事件/案件): from the first alert to the reviewed closing, with clocks, tasks and reports (docs/incidents.md)."""
