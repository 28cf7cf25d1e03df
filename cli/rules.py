"""``./liandun rules``: import, list, test and lint detection rules."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from cli.rule_tables import rule_tables
from cli.terminal import print_lines, visible
from collectors.parsers import PARSERS
from collectors.suricata.config import SensorSettings, render_config
from detectors.rule_lint import lint as lint_rules
from detectors.rule_sets.archive import RuleFile, read_rule_files
from detectors.rule_sets.catalogue import Catalogue, Entry, read_catalogue
from detectors.rule_sets.engine_check import refused_rules, without
from detectors.rule_sets.fetch import fetch
from detectors.rule_sets.sets import SuricataPart, check_name, decisions_of, install, installed, set_name
from detectors.rule_sets.suricata_update import DECISIONS, MERGED, merge
from detectors.rule_tests import START, Outcome, case_file, rule_files, run_tests
from kernel.config import ROOT, load_config
from kernel.detection import LEVELS, level_rank
from kernel.errors import ParseError, RuleError
from kernel.event import Event, timestamp
from kernel.layout import Layout
from kernel.record import RawRecord
from kernel.rule_tuning.snapshot import Measure, read_snapshot
from kernel.spreadsheet import csv_row

OWN_RULES = ROOT / "rules"
ENGINES = ("sigma", "yara", "suricata")
_COLUMNS = ("engine", "level", "title", "id", "state", "tags", "file")

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Data directory (default: LIANDUN_DATA, else var beside the code).",
)
engine_option = click.option("--engine", type=click.Choice(ENGINES), help="Only rules of this engine.")


@click.group()
def command() -> None:
    """Detection rules: our own (rules/) and imported sets (<data>/rules/)."""


@command.command("import")
@click.argument("sources", nargs=-1, required=True)
@data_option
@click.option("--name", help="Name of the set (default: from the first source). A set of the same name is replaced.")
@click.option("--allow-private", is_flag=True, help="Let the URL point into a private network, and allow http.")
@click.option(
    "--decisions",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with enable.conf, disable.conf, modify.conf, drop.conf for Suricata rules (default: those of the set replaced).",
)
def import_rules(
    sources: tuple[str, ...], data: Path | None, name: str | None, allow_private: bool, decisions: Path | None
) -> None:
    """Take in a rule set: files, folders, archives (.tar.gz, .zip, .rules.gz), https: or file: URLs; several become one set."""
    layout = _layout(data)
    name = name or set_name(sources[0])
    check_name(name)
    kept = decisions_of(layout.rules, name) if decisions is None else decisions_of(decisions.parent, decisions.name)
    files = _read_sources(sources, allow_private)
    files, part = _merge_suricata(files, kept)
    manifest = install(layout.rules, name, ", ".join(sources), files, suricata=part)
    folder = layout.rules / manifest.name
    catalogue = read_catalogue([folder], cache_dir=layout.rule_cache)
    counts = ", ".join(f"{count} {engine} files" for engine, count in sorted(manifest.counts.items()))
    click.echo(f"{manifest.name}: {counts}; {len(catalogue.entries)} rules loaded, {len(catalogue.failures)} not")
    if part.merged:
        checked = f"{len(part.refused)} refused by suricata -T" if part.checked else "not checked: no suricata on this machine"
        click.echo(f"{MERGED}: {part.merged} rules merged, {part.enabled} of them enabled, {checked}")
    click.echo(f"stored in {folder}, SM3 {manifest.sm3}, licence texts: {visible(manifest.licence)}")
    _show_refused(layout, manifest.name, limit=10)
    _show_failures(catalogue, limit=10)


@command.command("sets")
@data_option
def sets(data: Path | None) -> None:
    """Imported sets with source, date and digest."""
    rows = []
    for one in installed(_layout(data).rules):
        counts = ", ".join(f"{engine} {count}" for engine, count in sorted(one.counts.items()))
        rows.append((one.name, counts, one.imported[:19], one.sm3[:16], one.licence, one.source))
    print_lines(("set", "files", "imported", "SM3", "licence", "source"), rows)


@command.command("list")
@data_option
@engine_option
@click.option("--level", type=click.Choice(LEVELS), help="Only rules of this level or above.")
@click.option("--format", "form", type=click.Choice(("table", "jsonl", "csv")), default="table", show_default=True)
def list_rules(data: Path | None, engine: str | None, level: str | None, form: str) -> None:
    """Every rule in use: engine, level, title, id and file."""
    catalogue = _catalogue(data, engine)
    least = level_rank(level) if level else 0
    entries = [entry for entry in catalogue.entries if level_rank(entry.level) >= least]
    off = _switched_off(data)
    if form == "jsonl":
        for entry in entries:
            sys.stdout.write(msgspec.json.encode({**msgspec.to_builtins(entry), "off": entry.id in off}).decode() + "\n")
    elif form == "csv":
        _write_csv(entries, off)
    else:
        _show_table(entries, off)
    if catalogue.failures:
        click.echo(f"{len(catalogue.failures)} rules cannot be loaded: ./liandun rules failures", err=True)


@command.command("tuning")
@data_option
def tuning(data: Path | None) -> None:
    """What holds detections back: switched-off rules and exceptions in force, as the workers read them (docs/rules.md)."""
    rows = []
    for measure in _measures(data):
        told = "; ".join(f"{one.field} {one.operator} {one.value}" for one in measure.conditions) or "the whole rule is off"
        rows.append(
            (str(measure.id), measure.rule_id, told, measure.expires_at[:16], measure.by, measure.since[:16], measure.reason)
        )
    print_lines(("id", "rule", "held back", "ends", "by", "since", "reason"), rows)


@command.command("tables")
def tables() -> None:
    """Tables of our own rules as Markdown: the end of docs/rules.md is this output."""
    folders = [OWN_RULES / engine for engine in ENGINES]
    click.echo(rule_tables(read_catalogue(folders).entries), nl=False)


@command.command()
@data_option
@engine_option
def failures(data: Path | None, engine: str | None) -> None:
    """Rules that cannot be loaded or that Suricata refused, with file, line and reason. Exit code 1 if there are any."""
    catalogue = _catalogue(data, engine)
    _show_failures(catalogue)
    refused = _show_refused(_layout(data)) if engine in (None, "suricata") else 0
    click.echo(f"{len(catalogue.entries)} rules loaded, {len(catalogue.failures) + refused} not", err=True)
    if catalogue.failures or refused:
        sys.exit(1)


@command.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--verbose", is_flag=True, help="Show the passed cases too.")
def test(paths: tuple[Path, ...], verbose: bool) -> None:
    """Run the test events beside Sigma rules (default: our own rules). Exit code 1 if one fails."""
    passed = failed = untested = 0
    for file in rule_files(list(paths) or [OWN_RULES / "sigma"]):
        try:
            outcomes = run_tests(file, _read)
        except RuleError as error:
            failed += 1
            click.echo(visible(str(error)))
            continue
        untested += not outcomes
        for outcome in outcomes:
            passed += outcome.passed
            failed += not outcome.passed
            if verbose or not outcome.passed:
                _show_outcome(outcome)
    click.echo(f"{passed} cases passed, {failed} failed, {untested} rule files without tests")
    if failed:
        sys.exit(1)


@command.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--tests/--no-tests", default=False, help="Also ask for test events beside each rule.")
def lint(paths: tuple[Path, ...], tests: bool) -> None:
    """Check Sigma rules (default: our own) with pySigma's validators and ours. Exit code 1 on an error or warning."""
    findings = lint_rules(rule_files(paths or (OWN_RULES / "sigma",)), need_tests=tests)
    for finding in findings:
        click.echo(visible(str(finding)))
    counts = {severity: sum(finding.severity == severity for finding in findings) for severity in ("error", "warning", "note")}
    click.echo(", ".join(f"{count} {severity}s" for severity, count in counts.items()), err=True)
    if counts["error"] or counts["warning"]:
        sys.exit(1)


def _show_outcome(outcome: Outcome) -> None:
    should = "fire" if outcome.expected else "stay silent"
    told = f"{outcome.reason or 'passed'} (should {should}, fired: {', '.join(outcome.fired) or 'nothing'})"
    click.echo(visible(f"{case_file(outcome.rule_file)}:{outcome.line}: {told}"))


def _read_sources(sources: Sequence[str], allow_private: bool) -> list[RuleFile]:
    """Files of all sources; where there are several, each source's files stand below its name."""
    files: list[RuleFile] = []
    for source in sources:
        with tempfile.TemporaryDirectory(prefix="liandun-rules-") as scratch:
            is_url = "://" in source or source.startswith("file:")
            path = fetch(source, Path(scratch), allow_private=allow_private) if is_url else Path(source)
            try:
                found = list(read_rule_files(path))
            except RuleError as error:  # of a download: named after where it came from, not after the folder it was put in
                raise RuleError(error.message.replace(str(path), source), error.hint) from error
            for file in found:
                inner = f"{set_name(source)}/{file.name}" if len(sources) > 1 else file.name
                files.append(RuleFile(inner, file.engine, file.content))
    return files


def _merge_suricata(files: list[RuleFile], kept: dict[str, bytes]) -> tuple[list[RuleFile], SuricataPart]:
    """Put one merged and checked file in place of all Suricata rule files, and the operator's decisions beside it."""
    rules = [file for file in files if file.engine == "suricata"]
    if not rules:
        return files, SuricataPart()
    merged = merge(rules, kept)
    for remark in merged.remarks[:10]:
        click.echo(visible(f"suricata-update: {remark}"), err=True)
    refused = refused_rules(merged.content, render_config(SensorSettings(log_dir=Path(tempfile.gettempdir()), store_files=False)))
    content = without(merged.content, refused or [])
    others = [file for file in files if file.engine != "suricata"]
    decided = [RuleFile(name, "decision", kept[name]) for name in DECISIONS if name in kept]
    enabled = merged.enabled - len(refused or [])
    part = SuricataPart(merged.rules, enabled, refused or [], refused is not None)
    return [*others, RuleFile(MERGED, "suricata", content), *decided], part


def _show_refused(layout: Layout, only: str = "", limit: int | None = None) -> int:
    """Print what Suricata refused at import, of one set or of all; returns how many."""
    told = [(one.name, rule) for one in installed(layout.rules) if only in ("", one.name) for rule in one.refused]
    for name, rule in told[:limit]:
        click.echo(visible(f"{layout.rules / name / MERGED}:{rule.line}: sid {rule.sid or '?'}: suricata -T: {rule.reason}"))
    if limit is not None and len(told) > limit:
        click.echo(f"… and {len(told) - limit} more: ./liandun rules failures")
    return len(told)


def _layout(data: Path | None) -> Layout:
    return Layout(data or load_config().data_dir)


def _catalogue(data: Path | None, engine: str | None) -> Catalogue:
    layout = _layout(data)
    folders = [
        folder for folder in (OWN_RULES / "sigma", OWN_RULES / "yara", OWN_RULES / "suricata", layout.rules) if folder.is_dir()
    ]
    return read_catalogue(folders, cache_dir=layout.rule_cache if layout.root.is_dir() else None, engine=engine or "")


def _read(form: str, raw: bytes) -> list[Event]:
    parser = PARSERS.get(form)
    if parser is None:
        raise ParseError(f"no parser is called {form!r}", f"known: {', '.join(PARSERS)}")
    return parser(RawRecord("rule-test", form, int(START.timestamp() * 1_000_000), "", raw))


def _measures(data: Path | None) -> list[Measure]:
    """Those in force now; none where the snapshot cannot be read, as then the workers hold nothing new back either."""
    now = timestamp(datetime.now(UTC))
    try:
        found = read_snapshot(_layout(data).rule_tuning).measures
    except (OSError, msgspec.DecodeError) as error:
        click.echo(f"the rule tuning cannot be read: {error}", err=True)
        return []
    return [one for one in found if not one.expires_at or one.expires_at > now]


def _switched_off(data: Path | None) -> dict[str, str]:
    """Rule id → "off (who)"."""
    return {one.rule_id: f"off ({one.by})" for one in _measures(data) if one.is_off}


def _row(entry: Entry, off: Mapping[str, str]) -> tuple[str, ...]:
    state = off.get(entry.id, "" if entry.active else "inactive")
    return entry.engine, entry.level, entry.title, entry.id, state, ", ".join(entry.tags), _short(entry.file)


def _short(file: str) -> str:
    return file.removeprefix(f"{ROOT}/")


def _show_table(entries: Sequence[Entry], off: Mapping[str, str]) -> None:
    shown = print_lines(_COLUMNS, (_row(entry, off) for entry in entries))
    click.echo(f"{shown} rules")


def _write_csv(entries: Sequence[Entry], off: Mapping[str, str]) -> None:
    sys.stdout.write(csv_row(_COLUMNS))
    for entry in entries:
        sys.stdout.write(csv_row([visible(cell) for cell in _row(entry, off)]))


def _show_failures(catalogue: Catalogue, limit: int | None = None) -> None:
    for failure in catalogue.failures[:limit]:
        click.echo(visible(f"{_short(failure.file)}:{failure.line}: {failure.reason}"))
    if limit is not None and len(catalogue.failures) > limit:
        click.echo(f"… and {len(catalogue.failures) - limit} more: ./liandun rules failures")
