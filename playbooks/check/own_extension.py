"""What Liandun adds to steps (playbooks.extension): it can be understood, and its undo steps and outputs are there."""

from __future__ import annotations

from playbooks.check.report import Report
from playbooks.extension import EXTENSION, ExtensionError, Options, options_of
from playbooks.model import Action, Playbook, PlaybookAction, Step, WhileCondition
from playbooks.references import the_one
from playbooks.vocabulary import is_by_hand, kind_of


def undo_steps(playbook: Playbook) -> dict[str, str]:
    """Undo steps, each with the step that it takes back. No way leads to them: they run on request, in the scope of that step."""
    owners: dict[str, str] = {}
    for key, step in playbook.workflow.items():
        options = _read(step)
        if options is not None and options.undo in playbook.workflow:
            owners.setdefault(options.undo, key)
    return owners


def check_own_extension(playbook: Playbook, report: Report) -> None:
    for key, step in playbook.workflow.items():
        if EXTENSION not in step.step_extensions:
            continue
        path = f"workflow.{key}.step_extensions.{EXTENSION}"
        try:
            options = options_of(step)
        except ExtensionError as error:
            report.wrong(path, error.message.rsplit(" cannot be read: ", 1)[-1], "docs/playbooks.md, Our extension", key)
            continue
        _undo(path, key, step, options, playbook, report)
        if options.rounds is not None and not isinstance(step, WhileCondition):
            report.doubtful(f"{path}.rounds", "rounds count in while steps only", "leave it out", key)
        _approval(path, key, step, options, report)
        wanted = {the_one(name) for name in step.out_args} if isinstance(step, Action | PlaybookAction) else set()
        for name, pointer in options.outputs.items():
            if name not in wanted:
                report.wrong(f"{path}.outputs.{name[:80]}", f"{name[:80]} is not among out_args", "add it there", key)
            if pointer and not pointer.startswith("/"):
                report.wrong(f"{path}.outputs.{name[:80]}", f"{pointer[:80]!r} is no JSON pointer", "it begins with /", key)


def _approval(path: str, key: str, step: Step, options: Options, report: Report) -> None:
    if options.approval is None:
        return
    if not isinstance(step, Action):
        report.wrong(f"{path}.approval", "people agree to action steps only", "give it to the actions within", key)
    elif options.approval.number > 1 and any(is_by_hand(command.type, kind_of(step.agent)) for command in step.commands):
        hint = "two steps, the second one apart from the first"
        report.wrong(f"{path}.approval.number", "one person answers what is done by hand", hint, key)


def _undo(path: str, key: str, step: Step, options: Options, playbook: Playbook, report: Report) -> None:
    if not options.undo:
        return
    if not isinstance(step, Action):
        report.doubtful(f"{path}.undo", "undo counts in action steps only", "give it to the actions within", key)
    if options.undo == key:
        report.wrong(f"{path}.undo", "a step cannot take itself back", "name another action step", key)
    elif not isinstance(playbook.workflow.get(options.undo), Action | PlaybookAction):
        report.wrong(f"{path}.undo", f"there is no action step {options.undo[:80]!r}", "name an action step of the workflow", key)


def _read(step: Step) -> Options | None:
    try:
        return options_of(step)
    except ExtensionError:
        return None
