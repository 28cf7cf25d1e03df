"""Files that are looked at daily: the newest of a folder, brought ones, reports; none from elsewhere, half written or too old."""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from compliance.assessment.models import VerdictRow
from compliance.probes.target import Target
from compliance.probing import bringing, files, keeping, service
from compliance.probing.files import FOLDERS, Found, ReportFile, file_way, handed_in
from compliance.probing.models import FileRow
from compliance.probing.running import run_due
from compliance.probing.schema import Outcome, TargetDraft, TargetRecord
from compliance.systems import objects
from compliance.systems.schema import ObjectDraft
from crypto.secret import MasterKey
from crypto.sm3 import sm3
from kernel.errors import LiandunError
from operations.audit.models import AuditEntry
from operations.audit.schema import SYSTEM
from operations.errors import Invalid
from tests.compliance.assessment.small_system import SmallSystem
from tests.compliance.probes import windows_hosts

KEY = MasterKey(b"0123456789abcdef")
DEVICES = Path(__file__).parents[1] / "probes" / "devices"
REPORTS = Path(__file__).parents[1] / "importers" / "reports"
HOUR = 3_600
ACCOUNTS = "8.1.4.1.a"


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    (folder / "core").mkdir(parents=True)
    return folder


@pytest.fixture
def switch(small: SmallSystem) -> int:
    with small.database.write() as session:
        return objects.add_object(session, small.who, small.id, ObjectDraft("network_device", "sw-1")).id


def put(source: Path, target: Path, hours: float = 1) -> Path:
    """A file that was written some hours ago."""
    shutil.copy(source, target)
    return aged(target, hours)


def aged(path: Path, hours: float) -> Path:
    moment = time.time() - hours * HOUR
    os.utime(path, (moment, moment), follow_symlinks=False)
    return path


def enter(small: SmallSystem, object_id: int, way: str, place: str = "", **more: str) -> int:
    with small.database.write() as session:
        return service.add(session, small.who, TargetDraft(small.id, object_id, way, place, **more)).id


def looked(small: SmallSystem, drop: Path | None) -> list[Outcome]:
    def way_to(target: TargetRecord) -> Target | ReportFile:
        def find() -> AbstractContextManager[Found]:
            if not target.place:
                return bringing.brought(small.database, KEY, target.id)
            return handed_in(drop, target.place, folders=target.way in FOLDERS)

        return file_way(target, find, 35)

    return run_due(small.database, KEY, way_to)


def told(drop: Path | None, place: str, *, folders: bool = False) -> Found:
    with handed_in(drop, place, folders=folders) as found:
        return found


def verdicts(small: SmallSystem, object_id: int) -> dict[str, VerdictRow]:
    with small.database.read() as session:
        query = select(VerdictRow).where(VerdictRow.object_id == object_id)
        return {row.item: row for row in session.execute(query).scalars()}


def test_the_newest_configuration_of_a_device(small: SmallSystem, drop: Path, switch: int) -> None:
    put(DEVICES / "huawei-weak.cfg", drop / "core" / "sw-1-0301.cfg", 48)
    newest = put(DEVICES / "huawei-hard.cfg", drop / "core" / "sw-1-0302.cfg", 2)
    put(DEVICES / "huawei-weak.cfg", drop / "core" / "sw-2-0303.cfg", 1)
    enter(small, switch, "huawei-config", "core/sw-1-*.cfg")
    (outcome,) = looked(small, drop)
    assert (outcome.error, outcome.unread) == ("", 0)
    found = verdicts(small, switch)
    assert {row.verdict for row in found.values()} == {"met"}
    written = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(newest.stat().st_mtime))
    assert {row.at[:16] for row in found.values()} == {written}, "of the moment when it was written"
    with small.database.write() as session:
        sealed = keeping.unseal(session, KEY, SYSTEM, outcome.evidence).decode()
    assert "Secret" not in sealed.replace("Secrets", ""), "secrets of the device stay out of the evidence"


def test_an_old_finding_is_not_re_tested_by_an_older_file(small: SmallSystem, drop: Path, switch: int) -> None:
    put(DEVICES / "h3c-weak.cfg", drop / "core" / "sw.cfg", 30)
    enter(small, switch, "h3c-config", "core/sw.cfg")
    small.probe("met", ACCOUNTS, switch)
    (outcome,) = looked(small, drop)
    assert outcome.error == ""
    assert verdicts(small, switch)[ACCOUNTS].verdict == "met", "what was seen later counts"


@pytest.mark.parametrize(
    "place", ["../secret.cfg", "core/../../secret.cfg", "/etc/passwd", "core/link.cfg", "away/secret.cfg", "core/pipe"]
)
def test_nothing_from_elsewhere(tmp_path: Path, drop: Path, place: str) -> None:
    secret = tmp_path / "away" / "secret.cfg"
    secret.parent.mkdir()
    put(DEVICES / "huawei-hard.cfg", secret)
    put(DEVICES / "huawei-hard.cfg", tmp_path / "secret.cfg")
    (drop / "core" / "link.cfg").symlink_to(secret)
    (drop / "away").symlink_to(secret.parent)
    os.mkfifo(drop / "core" / "pipe")
    for one in ("link.cfg", "pipe"):
        aged(drop / "core" / one, 1)
    with pytest.raises(LiandunError):
        told(drop, place)


@pytest.mark.parametrize(
    "place", ["/etc/passwd", "../x", "a/../x", "a//x", "a/.hidden", ".", "*/x.cfg", "x[0-9].cfg", "a\\b", "x\n", "x" * 300]
)
def test_what_is_no_place(small: SmallSystem, switch: int, place: str) -> None:
    place = place if place.strip() == place else f"a{place}b"
    with pytest.raises(Invalid) as refused:
        enter(small, switch, "cisco-config", place)
    assert refused.value.field == "place"


def test_without_a_folder_no_file_is_taken() -> None:
    with pytest.raises(LiandunError, match="folder"):
        told(None, "core/sw.cfg")


def test_what_is_still_being_written_waits(drop: Path) -> None:
    path = put(DEVICES / "cisco-hard.cfg", drop / "core" / "a.cfg", 0)
    with pytest.raises(LiandunError, match="last minute"):
        told(drop, "core/*.cfg")
    older = put(DEVICES / "cisco-weak.cfg", drop / "core" / "b.cfg", 5)
    assert told(drop, "core/*.cfg").name == older.name
    aged(path, 1)
    assert told(drop, "core/*.cfg").name == path.name


def test_a_file_that_is_written_while_it_is_copied_is_not_taken(drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody appends without an end: our disk does not fill, and no half of a file is judged."""
    path = put(DEVICES / "cisco-hard.cfg", drop / "core" / "sw.cfg")
    path.write_bytes(path.read_bytes() + b"!" * (3 << 20))
    aged(path, 1)
    real, copied = os.fdopen, []

    def opened(*args: Any, **kwargs: Any) -> Any:
        with path.open("ab") as writer:
            writer.write(b"!" * (9 << 20))
        copied.append(True)
        return real(*args, **kwargs)

    monkeypatch.setattr(os, "fdopen", opened)
    with pytest.raises(LiandunError, match="while it was read"):
        told(drop, "core/sw.cfg")
    assert copied


def test_a_file_that_is_replaced_after_it_was_chosen_waits(drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(DEVICES / "cisco-weak.cfg", drop / "core" / "sw.cfg")
    chosen = files._newest

    def replaced(*args: Any) -> str:
        name = chosen(*args)
        put(DEVICES / "cisco-hard.cfg", drop / "core" / "new", 0).replace(drop / "core" / name)
        return name

    monkeypatch.setattr(files, "_newest", replaced)
    with pytest.raises(LiandunError, match="last minute"):
        told(drop, "core/sw.cfg")


def test_a_file_of_the_future_is_not_taken(drop: Path) -> None:
    put(DEVICES / "cisco-hard.cfg", drop / "core" / "b.cfg", -9_000)
    with pytest.raises(LiandunError):
        told(drop, "core/*.cfg")
    older = put(DEVICES / "cisco-weak.cfg", drop / "core" / "a.cfg", 5)
    assert told(drop, "core/*.cfg").name == older.name


def test_an_old_file_is_told_and_verdicts_stay(small: SmallSystem, drop: Path, switch: int) -> None:
    path = put(DEVICES / "cisco-hard.cfg", drop / "core" / "sw.cfg")
    enter(small, switch, "cisco-config", "core/sw.cfg")
    looked(small, drop)
    before = verdicts(small, switch)
    aged(path, 36 * 24)
    with small.database.write() as session:
        service.take(session, [service.targets(session)[0].id])
        service.hasten(session, small.who, service.targets(session)[0].id)
    (outcome,) = looked(small, drop)
    assert "35 days old or more" in outcome.error
    after = verdicts(small, switch)
    assert {item: row.verdict for item, row in after.items()} == {item: row.verdict for item, row in before.items()}


def test_a_windows_host_by_folder_and_by_zip(small: SmallSystem, drop: Path) -> None:
    folder = windows_hosts.hard(drop / "win-1")
    for one in (*folder.iterdir(), folder):
        aged(one, 2)
    aged(folder / "audit.csv", 9)
    with zipfile.ZipFile(drop / "win-2.zip", "w") as archive:
        for one in folder.iterdir():
            archive.write(one, one.name)
    aged(drop / "win-2.zip", 2)
    enter(small, small.host, "windows-export", "win-1")
    enter(small, small.other, "windows-export", "win-2.zip")
    outcomes = looked(small, drop)
    assert [one.error for one in outcomes] == ["", ""]
    first, second = verdicts(small, small.host), verdicts(small, small.other)
    assert {item: row.verdict for item, row in first.items()} == {item: row.verdict for item, row in second.items()}
    assert min(row.at for row in second.values()) > max(row.at for row in first.values()), "a folder is as old as its oldest file"
    with pytest.raises(LiandunError, match="no file"):
        told(drop, "win-1")


def test_a_link_in_a_folder_is_left_alone(tmp_path: Path, drop: Path) -> None:
    folder = windows_hosts.hard(drop / "win-1")
    (folder / "shadow").symlink_to("/etc/passwd")
    (folder / ".audit.csv.part").write_text("half")
    for one in (*folder.iterdir(), folder):
        aged(one, 2)
    with handed_in(drop, "win-1", folders=True) as found:
        assert not {"shadow", ".audit.csv.part"} & set(os.listdir(found.path))
        assert len(os.listdir(found.path)) == 5


def test_reports_bring_their_verdicts(small: SmallSystem, drop: Path) -> None:
    put(REPORTS / "lynis-report.dat", drop / "h1.dat", 3)
    scan = (REPORTS / "two-hosts.nessus").read_text().replace("1800000000", str(int(time.time()) - 4 * HOUR))
    (drop / "scan.nessus").write_text(scan)
    aged(drop / "scan.nessus", 3)
    enter(small, small.host, "lynis-report", "h1.dat")
    whose = enter(small, small.other, "nessus-report", "scan.nessus")
    outcomes = {one.target.id: one for one in looked(small, drop)}
    assert "is about 2 objects" in outcomes.pop(whose).error
    (lynis,) = outcomes.values()
    assert lynis.error == ""
    assert lynis.recorded > 3
    row = next(iter(verdicts(small, small.host).values()))
    assert (row.source, row.evidence) == ("probe", lynis.evidence)
    with small.database.write() as session:
        found = service.get(session, whose)
        draft = TargetDraft(small.id, small.other, found.way, found.place, host="10.1.0.8")
        service.change(session, small.who, whose, draft, True, expected_version=1)
    (nessus,) = looked(small, drop)
    assert nessus.error == ""
    assert nessus.recorded
    (drop / "h1.dat").write_bytes(b"no report")
    aged(drop / "h1.dat", 1)
    with small.database.write() as session:
        service.hasten(session, small.who, lynis.target.id)
    (outcome,) = looked(small, drop)
    assert outcome.error
    assert outcome.recorded == 0


@pytest.fixture
def brought_to(small: SmallSystem, switch: int) -> int:
    return enter(small, switch, "huawei-config")


def bring(small: SmallSystem, number: int, name: str, content: bytes) -> None:
    with small.database.write() as session:
        bringing.bring(session, KEY, small.who, number, name, content)


def test_a_file_that_is_brought_is_sealed_and_replaced(small: SmallSystem, switch: int, brought_to: int) -> None:
    (outcome,) = looked(small, None)
    assert "no file was brought" in outcome.error
    weak, hard = ((DEVICES / f"huawei-{kind}.cfg").read_bytes() for kind in ("weak", "hard"))
    bring(small, brought_to, "sw-1.cfg", weak)
    with small.database.read() as session:
        row = session.get(FileRow, brought_to)
        assert row is not None
        assert b"sysname" in weak
        assert b"sysname" not in row.package, "unreadable in the database"
        assert row.sm3 == sm3(weak).hex()
    (outcome,) = looked(small, None)
    assert outcome.error == ""
    assert "not_met" in {row.verdict for row in verdicts(small, switch).values()}
    bring(small, brought_to, "sw-1.cfg", hard)
    (outcome,) = looked(small, None)
    assert {row.verdict for row in verdicts(small, switch).values()} == {"met"}
    with small.database.write() as session:
        told = bringing.file_of(session, brought_to)
        assert told is not None
        assert (told.name, told.brought_by, told.size) == ("sw-1.cfg", small.who.name, len(hard))
        acts = session.execute(select(AuditEntry.detail).where(AuditEntry.action == "probe_target.file")).scalars().all()
        assert len(acts) == 2
        service.remove(session, small.who, brought_to)
    with small.database.read() as session:
        assert session.get(FileRow, brought_to) is None


def test_files_of_two_targets_are_not_mixed_up(small: SmallSystem, switch: int, brought_to: int) -> None:
    with small.database.write() as session:
        second = objects.add_object(session, small.who, small.id, ObjectDraft("network_device", "sw-2")).id
    bring(small, brought_to, "a.cfg", (DEVICES / "huawei-hard.cfg").read_bytes())
    bring(small, enter(small, second, "huawei-config"), "a.cfg", (DEVICES / "huawei-weak.cfg").read_bytes())
    looked(small, None)
    assert {row.verdict for row in verdicts(small, switch).values()} == {"met"}
    assert "not_met" in {row.verdict for row in verdicts(small, second).values()}


@pytest.mark.parametrize(
    ("name", "content"),
    [("", b"x"), ("盾" * 86, b"x"), ("a/b", b"x"), ("..", b"x"), ("a.cfg", b""), ("a.cfg", b"x" * (bringing.MOST_BYTES + 1))],
)
def test_what_is_not_taken(small: SmallSystem, brought_to: int, name: str, content: bytes) -> None:
    with pytest.raises(Invalid):
        bring(small, brought_to, name, content)


def test_only_to_targets_that_wait_for_a_file(small: SmallSystem, switch: int) -> None:
    for number in (enter(small, small.host, "local"), enter(small, switch, "h3c-config", "core/sw.cfg")):
        with pytest.raises(Invalid):
            bring(small, number, "a.cfg", b"x")
