"""``./liandun playbook run``: one playbook, here and now, without a running platform; or what it would do."""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from cli import acting
from cli.playbook_journal import journal_file, run_meant
from cli.terminal import visible
from kernel.db import Database
from kernel.errors import LiandunError
from playbooks.actions.destination import Reach
from playbooks.actions.looking_kinds import looking
from playbooks.actions.registry import standard
from playbooks.check import check
from playbooks.model import Action, Playbook
from playbooks.problems import PlaybookError
from playbooks.reading import MAX_BYTES
from playbooks.run import journal
from playbooks.run.dry_run import Shown, dry_run
from playbooks.run.events import Entry, Event
from playbooks.run.executor import Executor, Settings
from playbooks.run.journal import Wanted, library_of, playbook_of
from playbooks.run.machine import ENDED, Machine
from playbooks.run.messages import CHOICES, Answer, Decide, Message
from playbooks.run.state import Call
from playbooks.variables import Value, VariableError, opening
from playbooks.vocabulary import is_by_hand, kind_of

_QUIET = frozenset({"written", "dropped", "delay", "late"})


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)


@click.command(name="run")
@click.argument("file", type=_FILE)
@click.option("--set", "given", metavar="VAR=VALUE", multiple=True, help="Value of an external variable.")
@click.option("--dry-run", "dry", is_flag=True, help="Only show each command with its values and what it would touch.")
@click.option("--assume", metavar="VAR=VALUE", multiple=True, help="In a dry run: what commands would give back.")
@click.option("--call", "called", type=_FILE, multiple=True, help="A playbook that this one calls.")
@click.option("--trace", type=click.Choice(("jsonl",)), help="Print what happens as JSON lines; progress goes to standard error.")
@click.option("--output", type=_NEW, help="Write the trace to this file instead.")
@click.option("--journal", "kept", type=_NEW, help="Keep the journal here; after a crash the same command goes on with the run.")
@click.option("--anew", is_flag=True, help="Run it again although the journal says that this very run has ended.")
@click.option("--workers", type=click.IntRange(1, 64), default=8, show_default=True, help="Commands at a time.")
@click.option("--force", is_flag=True, help="Run it although the check finds mistakes, or it is revoked or not valid now.")
def run_command(
    file: Path, given: tuple[str, ...], dry: bool, assume: tuple[str, ...], called: tuple[Path, ...], trace: str | None,
    output: Path | None, kept: Path | None, anew: bool, workers: int, force: bool,
) -> None:  # fmt: skip
    """Run the playbook FILE. Exit code 0 finished, 1 failed, 2 wrong usage.

    HTTP commands go to any address: you are the one who runs it. What a person has to do is asked here.
    """
    body = _body(file)
    others = [_body(path) for path in called]
    playbook = playbook_of(body)
    variables, assumed = _values(playbook, given), _values(playbook, assume)
    try:
        opening(playbook, variables)
    except VariableError as error:
        raise click.UsageError(str(error)) from error
    if not force:
        _refuse(file, playbook, [playbook_of(other) for other in others])
    _PROGRESS.err = trace is not None and output is None
    with _traced(trace, output) as out:
        if dry:
            code = _dry(playbook, [playbook_of(other) for other in others], variables, assumed, out)
        else:
            with journal_file(kept) as database:
                wanted = Wanted(body=body, called=tuple(others), variables=variables, by=acting.actor().name, cause={"kind": "cli"})
                code = _run(database, wanted, workers, out, anew=anew)
    if code:
        raise click.exceptions.Exit(code)


def _body(path: Path) -> bytes:
    with path.open("rb") as opened:
        body = opened.read(MAX_BYTES + 1)
    try:
        playbook_of(body)
    except PlaybookError as error:
        for problem in error.problems[:20]:
            click.echo(visible(f"{path}: {problem}"), err=True)
        raise LiandunError(f"{path}: this is no playbook that can be run") from error
    return body


def _values(playbook: Playbook, texts: tuple[str, ...]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{text!r} is not VAR=VALUE")
        if name not in playbook.playbook_variables and f"__{name}__" in playbook.playbook_variables:
            name = f"__{name}__"
        values[name] = value
    return values


def _refuse(file: Path, playbook: Playbook, others: Sequence[Playbook]) -> None:
    """Refuse what cannot run rightly, and say all that is wrong with it."""
    known: dict[str, list[Playbook]] = {}
    for one in (playbook, *others):
        known.setdefault(one.id, []).append(one)
    problems = [problem for problem in check(playbook, known_playbooks=known) if problem.severity == "error"]
    for problem in problems[:20]:
        click.echo(visible(f"{file}: {problem}"), err=True)
    if problems:
        raise LiandunError(f"{file}: this playbook cannot run", "see above; --force runs it all the same")


class _Progress:
    """Where people read what happens: standard error where the trace takes standard output."""

    err = False

    def say(self, text: str) -> None:
        click.echo(visible(text), err=self.err)


_PROGRESS = _Progress()


@contextlib.contextmanager
def _traced(form: str | None, path: Path | None) -> Iterator[BinaryIO | None]:
    if path is not None:
        with path.open("wb") as opened:
            yield opened
    else:
        yield sys.stdout.buffer if form else None


# -- a dry run --------------------------------------------------------------------------------------------------------------------


def _dry(
    playbook: Playbook, others: list[Playbook], variables: Mapping[str, Value], assumed: Mapping[str, Value], out: BinaryIO | None
) -> int:
    from cli.sigma_hunt import SigmaHunt  # these bring the services of the platform, which a real run here has no use for
    from cli.yara_scan import YaraScan
    from playbooks.actions.own_kinds import own
    from playbooks.actions.system_kinds import system

    last, problems = "", 0
    reach = Reach.anywhere()
    kinds = standard(reach) | own(None) | system() | looking(reach, SigmaHunt(), scan=YaraScan())
    steps = dry_run(playbook, kinds, variables=variables, assumed=assumed, library=library_of([playbook, *others]))
    for shown in steps:
        if isinstance(shown, Shown):
            problems += bool(shown.problem)
            _show_command(shown)
        else:
            _write(out, shown)
            _show(playbook, shown)
            last = shown.outcome if shown.event == "run" else last
    return 0 if last == "finished" and not problems else 1


def _show_command(shown: Shown) -> None:
    request = shown.request
    _PROGRESS.say(f"    would do: {shown.plan.line}")
    for name, values in request.command.headers.items():
        _PROGRESS.say(f"      header: {name}: {', '.join(values)}")
    if request.command.content:
        _PROGRESS.say(f"     content: {request.command.content[:2000]}")
    if shown.plan.touches:
        _PROGRESS.say(f"     touches: {', '.join(shown.plan.touches)}")
    if shown.problem:
        _PROGRESS.say(f"     problem: {shown.problem}")


# -- a run ------------------------------------------------------------------------------------------------------------------------


def _run(database: Database, wanted: Wanted, workers: int, out: BinaryIO | None, *, anew: bool) -> int:
    playbook = playbook_of(wanted.body)
    found, wanted = run_meant(database, wanted, anew=anew)
    if found is not None and found.state in ENDED:
        click.echo(
            visible(f"the journal says: this run has ended, {found.state}: {found.reason or 'nothing is left to do'}"), err=True
        )
        click.echo("--anew runs it again from its start", err=True)
        return 0 if found.state == "finished" else 1
    broken = threading.Event()
    told: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen(run_id: int, event: Event, trace: list[Entry]) -> None:
        if broken.is_set():
            told.put("")
            return
        try:
            for entry in trace:
                _write(out, entry, event.at)
                _show(playbook, entry)
        except BrokenPipeError:
            broken.set()  # nobody reads any more; the run goes on to its end all the same
        finally:
            told.put("")

    settings = Settings(workers=workers, poll=0.1, lease=2.0)
    kinds = standard(Reach.anywhere()) | looking(Reach.anywhere())
    _tell_what_is_not_done_here([playbook, *map(playbook_of, wanted.called)], kinds)
    with Executor(database, kinds, settings, listener=listen) as executor:
        run_id = executor.submit(wanted) if found is None else found.run_id  # one that a crash left is gone on with
        asked: set[tuple[str, int]] = set()
        while True:
            with contextlib.suppress(queue.Empty):
                told.get(timeout=0.5)
            if not executor.alive:
                raise LiandunError("the executor has ended because of a mistake; the log says more")
            with database.read() as session:
                row = journal.state_of(session, run_id)
                if row.state in ENDED:
                    if row.reason:
                        click.echo(visible(row.reason), err=True)
                    return 0 if row.state == "finished" else 1
                machine = journal.machine_of(journal.load(session, run_id)) if row.state == "waiting" else None
            for call in machine.questions() if machine else ():
                if (call.key, call.attempt) not in asked:
                    asked.add((call.key, call.attempt))
                    executor.send(run_id, _ask(machine, call), wanted.by)


def _tell_what_is_not_done_here(playbooks: Sequence[Playbook], kinds: Collection[str]) -> None:
    """Before anything begins: which steps will fail outside of the platform."""
    lacking: dict[str, list[str]] = {}
    for playbook in playbooks:
        for key, step in playbook.workflow.items():
            for command in step.commands if isinstance(step, Action) else ():
                if command.type not in kinds and not is_by_hand(command.type, kind_of(step.agent)):
                    lacking.setdefault(command.type, []).append(step.name or key)
    for kind, steps in sorted(lacking.items()):
        shown = ", ".join(dict.fromkeys(steps))
        click.echo(visible(f"{kind} commands are carried out by the platform only; these steps will fail here: {shown}"), err=True)
    if lacking:
        click.echo(f"carried out here are {', '.join(sorted(kinds))}; --dry-run shows the others", err=True)


def _ask(machine: Machine | None, call: Call) -> Message:
    """What a person says at this terminal; without one the step fails."""
    name = call.visit.step.name or call.visit.step_id
    if call.phase == "unknown":
        _PROGRESS.say(f"{name}: nobody knows whether this was carried out: {call.request.command.command}")
        return Decide(call=call.key, choice=_line(f"What now ({', '.join(CHOICES)})? ", CHOICES) or "fail")
    _PROGRESS.say(f"{name}: please do: {call.request.command.command}")
    if _line("Done (y, n)? ", ("y", "n")) != "y":
        return Answer(call=call.key, done=False, comment="not done")
    values = {wanted: _line(f"{wanted} = ") for wanted in call.request.out_args}
    return Answer(call=call.key, variables={wanted: value for wanted, value in values.items() if value is not None})


def _line(prompt: str, choices: tuple[str, ...] = ()) -> str | None:
    """A line of standard input; None where there is none any more."""
    while True:
        click.echo(prompt, nl=False, err=_PROGRESS.err)
        text = sys.stdin.readline()
        if not text:
            click.echo()
            return None
        if not choices or text.strip() in choices:
            return text.strip()


def _write(out: BinaryIO | None, entry: Entry, at: int = 0) -> None:
    if out is not None:
        line = msgspec.to_builtins(entry)
        out.write(msgspec.json.encode({**line, "at": at} if at else line) + b"\n")
        out.flush()


def _show(playbook: Playbook, entry: Entry) -> None:
    if entry.event in _QUIET:
        return
    step = playbook.workflow.get(entry.step)
    name = (step.name if step is not None else "") or entry.step
    rest = [entry.outcome, entry.value, entry.target, f"→ {entry.to}" if entry.to else "", entry.code, entry.message]
    depth = "  " * entry.branch.count("[")
    _PROGRESS.say(f"{depth}{entry.event:<10} {name} {' '.join(part for part in rest if part)}".rstrip())
