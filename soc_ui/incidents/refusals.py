"""What the service refuses, in the language of the page. It tells in English; what is not known here stays as it is."""

from __future__ import annotations

import re

from kernel.errors import LiandunError
from soc_ui.intel import words as indicator_words
from soc_ui.locale import _
from soc_ui.zones.problems import Problem


def explain(error: LiandunError) -> list[Problem]:
    """The refusal as the list of mistakes that ``ui.problems`` shows."""
    for pattern, words in _words():
        match = re.fullmatch(pattern, error.message, re.DOTALL)
        if match:
            return [Problem(0, "", "", words % match.groupdict())]
    return [Problem(0, "", "", indicator_words.reason(error.message))]


def _words() -> list[tuple[str, str]]:
    return [
        (r"say why(?: it is another)?", _("Give a reason.")),
        (r"a reason is needed|reason is empty", _("Give a reason.")),
        (r"title is empty", _("Give a title.")),
        (r"text is empty", _("The text is empty.")),
        (r"the factors give level (?P<n>\d)", _("The factors give level %(n)s; for another one give a reason.")),
        (r"class and level are not decided", _("Decide class and level first.")),
        (r"only an incident in review is closed", _("Only an incident in review is closed; go through the review first.")),
        (r"closing needs a cause", _("Choose why it is closed.")),
        (r"only a drill ends as an exercise", _("Only a drill ends as an exercise.")),
        (r"closing and opening again is for .*", _("Closing and opening again is for those who may decide.")),
        (r"an incident in .* cannot go to .*", _("The incident cannot go to this phase.")),
        (r"incident \d+ is closed", _("The incident is closed; open it again first.")),
        (r"incident \d+ was acknowledged already", _("Somebody has acknowledged it already.")),
        (r"incident \d+ was merged into another", _("It was merged into another incident; work there.")),
        (r"the clocks of incident \d+ (?:stand still already|run)", _("The clocks are in that state already.")),
        (
            r"alert (?P<id>\d+) belongs to another incident",
            _("Alert #%(id)s belongs to another incident. Merge the incidents, or take it out there first."),
        ),
        (r"at most (?P<n>\d+) alerts at once", _("At most %(n)s alerts at once.")),
        (r"name a zone that you may see", _("Name a zone that you may see.")),
        (r"the zone plan does not know (?P<zone>.*)", _("The zone plan does not know %(zone)s.")),
        (r"an incident is not detected before it occurs", _("It cannot be detected before it occurred.")),
        (r"(?P<field>\w+) lies ahead", _("This moment lies ahead.")),
        (r"(?P<field>\w+) lies before \d+", _("This moment is too long ago; check the year.")),
        (r"(?P<field>\w+) has at most (?P<n>\d+) characters", _("%(field)s has at most %(n)s characters.")),
        (r"(?P<name>'.*') cannot be given incidents", _("%(name)s cannot be given incidents.")),
        (r"say why the task is dropped", _("Say in the result why the task is dropped.")),
        (r"this is no (?P<kind>\w+): (?P<value>.*)", _("%(value)s cannot be read as %(kind)s.")),
        (r"an indicator has 1 to 512 printable characters", _("An indicator has 1 to 512 printable characters.")),
        (r"the incident (?:has this indicator|names this) already", _("The incident has this already.")),
        (r"an incident is not merged into itself", _("An incident is not merged into itself.")),
        (r"a drill and an incident are not merged", _("A drill and an incident are not merged.")),
        (
            r"one of the incidents concerns zones that you may not see",
            _("One of the incidents concerns zones that you may not see."),
        ),
        (r"report (?P<number>\S+) was submitted already", _("Report %(number)s was submitted already.")),
        (r"report (?P<number>\S+) is not what was issued.*", _("Report %(number)s is not what was issued: its SM3 differs.")),
        (r"the incident concerns zones that you may not see", _("The incident concerns zones that you may not see.")),
        (r"to is empty", _("Say whom it was submitted to.")),
        (r"the incident has no alert whose events could be sealed", _("The incident has no alert whose events could be sealed.")),
        (r"evidence has 1 to \d+ bytes", _("The file is empty or too large.")),
        (r"the evidence (?:is not in order|does not open): (?P<why>.*)", _("The evidence is not in order: %(why)s")),
        (r"(?:name|origin) is empty", _("Say what it is and where it was taken from.")),
        (r"between 1 and (?P<n>\d+) minutes", _("A deadline has 1 to %(n)s minutes.")),
        (r"there is no alert (?P<id>\d+)", _("There is no alert #%(id)s.")),
    ]
