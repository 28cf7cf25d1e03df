"""The check-list: a workbook with one row for each pair of an item and an object, filled in on site and taken in again.

    octets = write(material, "zh")          # export
    sheet = read(octets)                    # bounded, no formulas, no macros, no links to other files
    plan = compare(sheet, material)         # what it would change, and what is wrong with it
    take_in(session, who, system_id, sheet) # as a person's verdicts, all or nothing

A row that somebody else changed since it was exported is a problem, not an overwrite; a row that was not touched is left alone.
"""

from compliance.reports.checklist.columns import MOST_ROWS
from compliance.reports.checklist.compare import Change, Plan, Trouble, compare
from compliance.reports.checklist.read import Row, Sheet, read
from compliance.reports.checklist.take import take_in
from compliance.reports.checklist.write import write

__all__ = ["MOST_ROWS", "Change", "Plan", "Row", "Sheet", "Trouble", "compare", "read", "take_in", "write"]
