"""Why a form was refused, in the language of the page. The domain speaks English; what is not known here stays as it is."""

from __future__ import annotations

import re

from kernel.errors import LiandunError
from operations.errors import Conflict, Denied
from soc_ui import access
from soc_ui.locale import _
from soc_ui.zones.problems import Problem


def explain(error: LiandunError) -> list[Problem]:
    """One mistake with its line, for the macro ``ui.problems``. What a rule of the domain denied is written down, as elsewhere."""
    if isinstance(error, Denied):
        access.note_denied(error.message)
    line = re.match(r"line (\d+): ", error.message)
    return [Problem(int(line[1]) if line else 0, "", "", translated(error.message))]


def translated(text: str) -> str:
    """The reason in the language of the page."""
    for pattern, words in _reasons():
        match = re.fullmatch(pattern, text, re.DOTALL)
        if match:
            found = {name: _field(value) if name == "field" else value for name, value in match.groupdict().items()}
            return words % found
    return text


def status(error: LiandunError) -> int:
    """409 where somebody was quicker, 403 where this person may not, else 422."""
    return 409 if isinstance(error, Conflict) else 403 if isinstance(error, Denied) else 422


def _field(name: str) -> str:
    names = {
        "title": _("Title"),
        "file": _("File"),
        "product": _("Product"),
        "vendor": _("Vendor"),
        "release": _("Version"),
        "body": _("Text"),
        "note": _("Note"),
        "name": _("Name"),
        "text": _("Text"),
        "due_at": _("Due"),
        "until": _("Until"),
        "source": _("Source"),
        "reason": _("Reason"),
        "assignee": _("Assigned to"),
        "bureau": _("Addressed to"),
        "zones": _("Zones"),
        "days": _("Days of validity"),
        "services": _("Services"),
        "addresses": _("Addresses"),
        "targets": _("Targets"),
        "request": _("Certificate request"),
        "gigabytes": _("GB a month"),
        "per_day": _("Events a day"),
        "zone": _("Zone"),
        "entity": _("Entity"),
        "target": _("To zone"),
        "expires_at": _("Ends"),
        "measure": _("What is done instead"),
        "recipient": _("For whom"),
        "label": _("Edition"),
        "owner": _("Responsible"),
        "file_name": _("File"),
        "change": _("What is new"),
    }
    return names.get(name, name)


def _reasons() -> list[tuple[str, str]]:
    field = r"(?P<field>\w+)"
    return [
        (rf"{field} is missing", _("%(field)s is missing")),
        (rf"{field} has at most (?P<n>\d+) characters", _("%(field)s has at most %(n)s characters")),
        (rf"{field}: .* is no moment", _("%(field)s is no moment")),
        (rf"{field}: (?P<text>.*CPE.*)", _("This CPE name cannot be read: %(text)s")),
        (r"this product is on the asset already", _("This product is on the asset already: change its entry.")),
        (
            r"this (?:match|entry) was changed by somebody else",
            _("Somebody else changed this in the meantime; here is how it stands now."),
        ),
        (r"this is no JSON: (?P<text>.*)", _("This is no JSON: %(text)s")),
        (r"this is no advisory document.*", _("This is no KEV catalogue, answer of the NVD CVE API 2.0 or CSAF 2.0 document.")),
        (r"this is no CycloneDX document.*", _("This is no CycloneDX document.")),
        (
            r"advisories are for the whole city: the operator imports them",
            _("Advisories are for the whole city: the operator imports them."),
        ),
        (rf"{field} is one line", _("%(field)s is one line")),
        (
            rf"{field} is a whole number from (?P<least>\d+) to (?P<most>\d+)",
            _("%(field)s is a whole number from %(least)s to %(most)s"),
        ),
        (
            rf"{field}: at most (?P<n>\d+) entries of (?P<most>\d+) characters",
            _("%(field)s: at most %(n)s entries of %(most)s characters"),
        ),
        (rf"{field}: there is no such zone of yours", _("%(field)s: there is no such zone of yours")),
        (r"there is no such zone", _("there is no such zone")),
        (r"there is no zone .*", _("there is no such zone")),
        (r"(?P<text>.*) is no address or network", _("%(text)s is no address or network")),
        (r"one of the two zones has to be yours", _("one of the two zones has to be yours")),
        (r"within a zone no permit is needed", _("within a zone no permit is needed")),
        (r"the certificate request cannot be used: (?P<text>.*)", _("the certificate request cannot be used: %(text)s")),
        (r"the due moment has passed", _("the due moment has passed")),
        (r"no zone belongs to (?P<text>.*)", _("no zone belongs to %(text)s")),
        (r"(?P<text>.*) cannot be given this ticket", _("%(text)s cannot be given this ticket")),
        (r"to whom\?", _("To whom? Choose a person or another organisation.")),
        (r"a delegation ends within 90 days", _("A delegation ends within 90 days.")),
        (r"this is the assignee", _("This is the person that the ticket is assigned to.")),
        (
            r"only the operator moves a ticket to another organisation",
            _("Only the operator moves a ticket to another organisation."),
        ),
        (r"your scope does not stand for one organisation", _("Your account does not stand for one organisation.")),
        (
            r".* is not possible for you while the ticket is .*",
            _("This is not possible for you while the ticket stands as it does."),
        ),
        (
            r"(?:ticket|application) \d+ was changed by somebody else|these terms were changed by somebody else",
            _("Somebody else changed this in the meantime; here is how it stands now."),
        ),
        (r".* is not possible: the application is .*", _("This is not possible any more: here is how the application stands now.")),
        (r"an attachment is a text of 1 to (?P<n>\d+) bytes", _("An attachment is a text of 1 to %(n)s bytes.")),
        (r"a ticket has at most (?P<n>\d+) attachments", _("A ticket has at most %(n)s attachments.")),
        (r"the name has characters that no file name has", _("The name has characters that no file name has.")),
        (
            r"the id of a link has 1 to 128 characters without blanks and slashes",
            _("The id of a link has 1 to 128 characters without blanks and slashes."),
        ),
        (r"there is no kind of link (?P<text>.*)", _("A ticket cannot be about %(text)s.")),
        (r"this service takes no applications now", _("This service takes no applications now.")),
        (r"its renewal has been applied for already", _("Its renewal has been applied for already.")),
        (r"only what was issued for a time can be renewed", _("Only what was issued for a time can be renewed.")),
        (r"nobody handles what they applied for", _("Nobody handles what they applied for.")),
        (r"a second person confirms it", _("A second person confirms it.")),
        (
            r"a permit changes the zone plan: the security administrator issues it",
            _("A permit changes the zone plan: the security administrator issues it."),
        ),
        (
            r"one of the two has to be the security administrator",
            _("One of the two has to be the security administrator."),
        ),
        (r"only the organisation that applied does this", _("Only the organisation that applied does this.")),
        (
            r"there is no active account of that name with a bureau's role",
            _(
                "There is no active account of that name with a bureau's role yet: the system administrator makes it, "
                "the security administrator grants its role; then issue again."
            ),
        ),
        (r"the account's scope is not (?P<text>.*)", _("The account's scope is not %(text)s: the security administrator sets it.")),
        (
            r"no listener of the platform takes (?P<text>.*)",
            _("No listener of the platform takes %(text)s (see the configuration)."),
        ),
        (r"there is no authority yet", _("There is no certificate authority yet (./liandun certificate makes one).")),
        (r"(?P<n>\d+) authorities could issue it", _("%(n)s authorities could issue it; the console does not know which.")),
        (r"\w+_hours: 1 to (?P<n>\d+) hours", _("A period has 1 to %(n)s hours.")),
        (
            r"the roster was changed by somebody else|the note was changed by somebody else",
            _("Somebody else changed this in the meantime; here is how it stands now."),
        ),
        (
            r"(?:line (?P<line>\d+): )?rank (?P<rank>\d) of (?P<day>\S+) (?P<shift>\S+) is taken",
            _("Place %(rank)s of %(day)s %(shift)s is taken."),
        ),
        (
            r"(?:line (?P<line>\d+): )?(?P<name>'.*') is on duty already: (?P<day>\S+) (?P<shift>\S+)",
            _("%(name)s is on duty already: %(day)s %(shift)s."),
        ),
        (r"(?:line (?P<line>\d+): )?(?P<name>'.*') cannot be on duty", _("%(name)s cannot be on duty.")),
        (r"(?:line (?P<line>\d+): )?there is no shift (?P<name>.*)", _("There is no shift %(name)s.")),
        (r"(?:line (?P<line>\d+): )?(?P<name>'.*') is no day", _("%(name)s is no day (write 2026-11-26).")),
        (r"(?:line (?P<line>\d+): )?a rank is 1 to (?P<n>\d)", _("A place is 1 to %(n)s.")),
        (r"(?:line (?P<line>\d+): )?(?P<name>'.*') is no rank", _("%(name)s is no place (1, 2 …).")),
        (r"(?P<name>'.*') is no time of the day", _("%(name)s is no time of the day (write 08:30).")),
        (r"shifts of a day do not overlap", _("Shifts of a day do not overlap.")),
        (r"a shift lasts 30 minutes to 24 hours", _("A shift lasts 30 minutes to 24 hours.")),
        (r"a shift has a name of at most 64 characters", _("A shift has a name of at most 64 characters.")),
        (
            r"the id of a shift has lower-case letters, digits and -, and is there once",
            _("The id of a shift has lower-case letters, digits and -, and is there once."),
        ),
        (r"the first line names the columns (?P<names>.*)", _("The first line of the file names the columns %(names)s.")),
        (r"the file names no place", _("The file names no place.")),
        (r"line (?P<line>\d+): a cell is missing", _("A cell is missing.")),
        (r"the file is neither UTF-8 nor GB 18030", _("The file is neither UTF-8 nor GB 18030.")),
        (r"you are not on duty, and were not within the last hours", _("You are not on duty, and were not within the last hours.")),
        (r"who wrote the note does not take it over", _("Who wrote the note does not take it over.")),
        (r"only somebody of the coming shift takes it over", _("Only somebody of the coming shift takes it over.")),
        (r"this shift has been taken over already", _("This shift has been taken over already.")),
        (r"nobody is left on duty who could be told", _("Nobody is left on duty who could be told.")),
        (r"somebody takes care of it already", _("Somebody takes care of it already.")),
        (r"only somebody on duty takes it", _("Only somebody on duty takes it.")),
        (r"an exception has 1 to (?P<n>\d+) conditions", _("An exception has 1 to %(n)s conditions.")),
        (r"condition (?P<n>\d+): (?P<text>'.*') is no field of an event", _("Condition %(n)s: %(text)s is no field of an event.")),
        (r"condition (?P<n>\d+): the value of .* is missing", _("Condition %(n)s: the value is missing.")),
        (
            r"condition (?P<n>\d+): the value of .* has at most (?P<most>\d+) characters",
            _("Condition %(n)s: the value has at most %(most)s characters."),
        ),
        (r"condition (?P<n>\d+): .* is one line", _("Condition %(n)s: the value is one line.")),
        (r"condition (?P<n>\d+): .*everything", _("Condition %(n)s excepts everything.")),
        (
            r"condition (?P<n>\d+): (?P<text>'.*') is no network: .*",
            _("Condition %(n)s: %(text)s is no network (write 10.21.0.0/16 or 2001:db8::/32)."),
        ),
        (r"it ends within (?P<n>\d+) days from now", _("It ends within %(n)s days from now.")),
        (r"'(?P<text>.*)' cannot own an exception", _("%(text)s cannot own an exception.")),
        (r"a second person has to approve this", _("A second person has to approve this: not who proposed it, and not its owner.")),
        (
            r"it would have hidden (?P<n>\d+) true positives of the last (?P<days>\d+) days",
            _("It would have hidden %(n)s true positives of the last %(days)s days: refuse it, or confirm that expressly."),
        ),
        (r"it would have ended already", _("It would have ended already: refuse it and let it be proposed anew.")),
        (r"this was decided on already|it is not in force", _("This is not possible any more: here is how it stands now.")),
        (
            r"somebody else changed it in the meantime",
            _("Somebody else changed this in the meantime; here is how it stands now."),
        ),
        (r"this rule is off already, or that is proposed", _("This rule is off already, or that is proposed.")),
        (
            r"there is such an exception already, in force or proposed",
            _("There is such an exception already, in force or proposed."),
        ),
        (r"a rule has at most (?P<n>\d+) exceptions", _("A rule has at most %(n)s exceptions: mend the rule itself instead.")),
        (
            r"this is no rule of the detection: the platform itself raises it",
            _("This is no rule of the detection: the platform itself raises it."),
        ),
        (r"only an exception of a Sigma rule can be a Sigma filter", _("Only an exception of a Sigma rule can be a Sigma filter.")),
        (r"the form has no field (?P<text>.*)", _("The form has no field %(text)s.")),
        (r"select two alerts or more", _("Select two alerts or more.")),
        (r"at most (?P<n>\d+) alerts are merged at once", _("At most %(n)s alerts are merged at once.")),
        (r"the lead is merged into another alert itself", _("The lead is merged into another alert itself.")),
        (r"a closed alert leads no others", _("A closed alert leads no others.")),
        (
            r"alert (?P<n>\d+) concerns an organisation that the lead does not concern",
            _("Alert #%(n)s concerns an organisation that the lead does not concern."),
        ),
        (r"there is no such rule", _("There is no such rule.")),
        (r"there is a system (?P<text>.*) already", _("There is a system %(text)s already.")),
        (r"the system has the .* already", _("The system has this object already.")),
        (
            r".* is no level of a system|S\dA\d is of level .*",
            _("Write the level as S3A3G3 or S3A2: G is the higher one of S and A."),
        ),
        (
            r"the catalogue holds the requirements of level 3 only.*",
            _("The catalogue holds the requirements of level 3 only: this system is kept here, but not assessed."),
        ),
        (r"the item .* does not apply to this .*", _("This control does not apply here.")),
        (r"no (?:item that applies|unit of .*) has a verdict", _("Nothing has a verdict yet, so nothing can be scored.")),
        (r"there is no trigger .*", _("There is no such trigger.")),
        (r"a waiver ends within a year", _("A waiver ends within a year, and not in the past.")),
        (r"a waiver of this finding is asked for or holds already", _("A waiver is asked for or holds already: end it first.")),
        (r"who asked for a waiver does not decide about it", _("Who asked for a waiver does not decide about it.")),
        (r"the waiver would have ended already", _("The waiver would have ended already.")),
        (r"the waiver \d+ is .*", _("This waiver was decided on or has ended already.")),
        (r"the finding \d+ is closed", _("This finding is closed.")),
        (
            r"the (?:ticket is done and the re-test is still to come|re-test is asked for already)",
            _("The re-test is still to come."),
        ),
        (r"no ticket is on its way whose day could be set", _("No ticket is on its way: give the finding to somebody first.")),
        (r"who added an edition does not approve it", _("Who added an edition does not approve it.")),
        (r"\w+ is not possible: the edition \d+ is .*", _("This is not possible any more: here is how it stands now.")),
        (r"the next review is a day to come", _("The next review is a day to come.")),
        (r"a document has 1 to \d+ bytes", _("The file is empty, or too large.")),
        (r"this kind of file is not taken", _("This kind of file is not taken.")),
        (r"files of older Office programs are not taken", _("Save it as DOCX, XLSX or PDF: older Office files are not taken.")),
        (r"the file carries macros", _("The file carries macros: save it without them.")),
        (r"the file is damaged", _("The file is damaged.")),
        (r"the edition \d+ is not in force", _("This edition is not in force: read the one that is.")),
        (r"the file does not open: .*", _("The sealed file does not open: take it from a backup.")),
        (r"a document of another organisation is not yours to describe", _("A document of another organisation is not yours.")),
        (r"there is no item (?P<text>.*)", _("There is no clause %(text)s.")),
        (r"the item (?P<text>\S+) has no verdict", _("Nothing was said about this control yet: there is nothing to decide about.")),
        (r"'.*' is not from 0 to 1|'.*' is no number", _("Write a number from 0 to 1.")),
        (
            r"opening evidence of an incident needs the permission incidents.write",
            _("Who works on the incident opens its evidence."),
        ),
        (r"evidence has 1 to \d+ bytes", _("The file is empty, or too large.")),
        (r"no evidence of this name lies here", _("No evidence of this name lies here: seal the file first.")),
        (r"the request is closed.*|the request is (?:open|answered)", _("The request has moved on: here is how it stands now.")),
        (r"a link ends within (?P<n>\d+) days", _("A link ends within %(n)s days, and not in the past.")),
        (r"a password has (?P<a>\d+) to (?P<b>\d+) characters", _("A password has %(a)s to %(b)s characters.")),
        (r"a system has at most (?P<n>\d+) links at once", _("A system has at most %(n)s links at once: revoke one first.")),
        (r"the link is revoked already", _("The link is revoked already.")),
        (r"the day lies ahead", _("Name a moment to come.")),
        (r"the end has passed", _("The end has passed already.")),
        (r"a suppression ends within (?P<n>\d+) days", _("A suppression ends within %(n)s days.")),
        (r"(?P<text>.*) is no entity", _("%(text)s is no entity (write kind:value, e.g. host:web1).")),
        (r"at most (?P<n>\d+) entities", _("At most %(n)s entities.")),
        (
            r"at most (?P<n>\d+) suppressions are in force at once",
            _("At most %(n)s suppressions are in force at once: lift one first."),
        ),
        (r"this suppression has ended already", _("This suppression has ended already.")),
        (
            r"a case needs the value for which it is",
            _("A case needs the value for which it is (or default, for every other value)."),
        ),
        (r"the playbook '.*' cannot do without __(?P<field>\w+)__", _("The playbook cannot do without a value for “%(field)s”.")),
        (r"there are two cases for (?P<text>'.*')", _("There are two cases for %(text)s.")),
        (r"a switch has at most (?P<n>\d+) cases here", _("A switch has at most %(n)s cases here.")),
        (
            r"(?P<name>[a-z_]+) cannot lead to (?P<text>'.*')",
            _("%(name)s cannot lead to %(text)s: choose a step of this playbook."),
        ),
        (r"nobody asks for this decision any more", _("Nobody asks for this decision any more.")),
        (r"you have a view of this name already", _("You have a view of this name already.")),
        (r"an account has at most (?P<n>\d+) views", _("An account has at most %(n)s views: delete one first.")),
        (r"a view has at most (?P<n>\d+) characters", _("A view has at most %(n)s characters: leave some filters out.")),
        (
            r"this (?:view|suppression) was changed by somebody else|alert \d+ was changed by somebody else.*",
            _("Somebody else changed this in the meantime; here is how it stands now."),
        ),
    ]
