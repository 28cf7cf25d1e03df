"""Reports: figures against a count by hand, files read back, the signature checked by openssl, schedule, scope, removal, tables."""

from __future__ import annotations

import io
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from docx import Document as WordFile
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import func, select, update

from crypto.certificates import read_certificates
from kernel.db import Database
from kernel.db.base import Base
from kernel.event import timestamp
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.audit.models import AuditEntry
from operations.audit.schema import SYSTEM
from operations.errors import Conflict, Denied, Invalid, NotFound, Stale
from operations.reach import SESSION_KEY
from operations.reports import listing, schedule, signing
from operations.reports.making import Means, figures_of, make
from operations.reports.models import OperationsReport, ReportRun
from operations.reports.periods import today
from operations.reports.schema import ReportFilter
from operations.reports.tables import change
from operations.webhooks.models import WebhookDelivery
from tests.operations.incidents.conftest import Clock
from tests.operations.reports.conftest import DUTY, HOSTILE

DAY = date(2026, 11, 25)
WATER = {SESSION_KEY: frozenset({"water-ot"})}


def test_the_figures_are_those_counted_by_hand(busy: Database, means: Means) -> None:
    record = make(busy, means, DUTY.actor, "daily", DAY)
    with busy.read() as session:
        found = figures_of(listing.find(session, record.id))
    assert found.now.levels == {"informational": 0, "low": 0, "medium": 0, "high": 2, "critical": 1}
    assert (found.now.alerts, found.before.alerts, found.now.violations, found.sampled) == (3, 1, 1, 3)
    assert {one.name: one.count for one in found.zones} == {"water-ot": 2, "gov-cloud": 1}
    assert sum(one.count for one in found.rules) == 3
    assert HOSTILE in {one.name for one in found.rules}
    assert sum(found.now.incidents.levels.values()) == 2
    assert found.before.incidents.examined == 0
    assert (found.now.tickets.made, found.before.tickets.made) == (1, 0)
    week = make(busy, means, DUTY.actor, "weekly", DAY)
    with busy.read() as session:
        assert figures_of(listing.find(session, week.id)).now.alerts == 5


def test_an_organisation_is_told_of_its_zones_only(busy: Database, means: Means) -> None:
    record = make(busy, means, DUTY.actor, "daily", DAY, organisation="水务局")
    with busy.read() as session:
        found = figures_of(listing.find(session, record.id))
    assert (found.now.alerts, found.before.alerts) == (2, 0)
    assert {one.name for one in found.zones} == {"water-ot"}
    assert sum(found.now.incidents.levels.values()) == 1
    assert found.now.tickets.made == 1
    other = make(busy, means, DUTY.actor, "daily", DAY, organisation="大数据局")
    with busy.read() as session:
        found = figures_of(listing.find(session, other.id))
    assert found.now.alerts == 1
    assert found.now.tickets.made == 0


def test_the_files_say_the_figures_and_hostile_texts_stay_texts(busy: Database, means: Means, time: Clock) -> None:
    record = make(busy, means, DUTY.actor, "daily", DAY)
    with busy.write() as session:
        files = {name: listing.read_file(session, DUTY.actor, record.id, name)[1] for name in listing.FORMATS}
    told = "".join(page.extract_text() for page in PdfReader(io.BytesIO(files["pdf"])).pages)
    assert "安全运营日报" in told
    assert "2026-11-25" in told
    assert "{{7*7}}" in told.replace("\u200b", "").replace("\n", "")
    words = WordFile(io.BytesIO(files["docx"]))
    cells = {cell.text for table in words.tables for row in table.rows for cell in row.cells}
    assert HOSTILE in cells
    assert "越界告警（分区边界）" in cells
    book = load_workbook(io.BytesIO(files["xlsx"]))
    every = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in every)
    assert next(cell for cell in every if cell.value == HOSTILE).quotePrefix
    assert {row[0].value: row[1].value for row in book["概览"].iter_rows() if len(row) > 1}["告警"] == 3
    with busy.read() as session:
        entries = session.execute(select(AuditEntry.action).where(AuditEntry.object_type == "report")).scalars().all()
    assert entries == ["report.make", *["report.read"] * 3]


def test_openssl_finds_the_signature_in_order_and_a_change_is_noticed(
    busy: Database, means: Means, time: Clock, tmp_path: Path
) -> None:
    time.now = timestamp(datetime.now(UTC))  # certificates go by the real clock
    record = make(busy, means, DUTY.actor, "daily", today(time.now), language="en")
    with busy.read() as session:
        row = listing.find(session, record.id)
        assert signing.verify(session, row).good
        (tmp_path / "manifest").write_text(row.manifest)
        (tmp_path / "signature").write_bytes(bytes.fromhex(row.signature))
        (tmp_path / "key.pem").write_text(read_certificates(row.certificate.encode())[0].public_key.to_pem())
        pdf_digest, files = signing.digests(row.manifest)["pdf"], row.pdf
    (tmp_path / "report.pdf").write_bytes(files)
    check = ["openssl", "dgst", "-sm3", "-sigopt", "distid:1234567812345678", "-verify", "key.pem", "-signature", "signature"]
    assert "Verified OK" in subprocess.run([*check, "manifest"], cwd=tmp_path, capture_output=True, text=True).stdout
    digest = subprocess.run(["openssl", "dgst", "-sm3", "-r", "report.pdf"], cwd=tmp_path, capture_output=True, text=True).stdout
    assert digest.split()[0] == pdf_digest
    (tmp_path / "manifest").write_text((tmp_path / "manifest").read_text().replace("daily", "weekly"))
    assert subprocess.run([*check, "manifest"], cwd=tmp_path, capture_output=True).returncode
    with busy.write() as session:
        session.execute(update(OperationsReport).values(pdf=b"%PDF-forged"))
    with busy.read() as session:
        verdict = signing.verify(session, listing.find(session, record.id))
    assert not verdict.good
    assert not verdict.files["pdf"]
    assert verdict.files["docx"]
    with pytest.raises(Conflict), busy.write() as session:
        listing.read_file(session, DUTY.actor, record.id, "pdf")


def began(database: Database, moment: str) -> None:
    """Let the platform have been at work since then: the earliest audit entry says when."""
    with database.write() as session, pytest.MonkeyPatch.context() as patched:
        patched.setattr(clock, "now", lambda: moment)
        audit.append(session, SYSTEM, "test", "test", "1")


def test_the_schedule_makes_each_once_and_makes_up_what_was_missed(busy: Database, means: Means, time: Clock) -> None:
    time.now = "2026-11-25T23:59:59.000000Z"  # 07:59 in Beijing: the day before is not due yet, the one before that is
    assert schedule.run_due(busy, means) == 0  # over before the platform began
    began(busy, "2026-09-01T00:00:00.000000Z")
    assert schedule.run_due(busy, means) == 3
    assert schedule.run_due(busy, means) == 0
    with busy.read() as session:
        first = {(row.kind, row.first_day) for row in session.execute(select(ReportRun)).scalars()}
    assert first == {("daily", "2026-11-24"), ("weekly", "2026-11-16"), ("monthly", "2026-10-01")}
    time.now = "2026-11-26T00:00:00.000000Z"
    assert schedule.run_due(busy, means) == 1
    with pytest.raises(Conflict):
        make(busy, means, SYSTEM, "daily", DAY, scheduled=True)
    time.now = "2026-11-29T04:00:00.000000Z"  # down for three days: one is made up, not three
    assert schedule.run_due(busy, means) == 1
    with busy.read() as session:
        assert session.execute(select(func.count()).select_from(OperationsReport)).scalar_one() == 5


def test_schedules_are_changed_under_their_version_and_for_each_organisation(busy: Database, means: Means, time: Clock) -> None:
    with busy.write() as session:
        wanted = {"enabled": True, "minute": 60, "each": True, "language": "en"}
        changed = schedule.set_schedule(session, DUTY.actor, "daily", **wanted, expected_version=1)  # type: ignore[arg-type]
        assert changed.version == 2
        assert changed.next_due == "2026-11-26T17:00:00.000000Z"
        with pytest.raises(Stale):
            schedule.set_schedule(session, DUTY.actor, "daily", **wanted, expected_version=1)  # type: ignore[arg-type]
        with pytest.raises(Invalid):
            schedule.set_schedule(session, DUTY.actor, "daily", **(wanted | {"minute": 1440}), expected_version=2)  # type: ignore[arg-type]
        for kind in ("weekly", "monthly"):
            off = {"enabled": False, "minute": 0, "each": False, "language": "zh"}
            schedule.set_schedule(session, DUTY.actor, kind, **off)  # type: ignore[arg-type]
    with pytest.raises(Denied), busy.carrying(WATER).write() as session:
        schedule.set_schedule(session, DUTY.actor, "daily", **wanted)  # type: ignore[arg-type]
    assert schedule.run_due(busy, means) == 4
    with busy.read() as session:
        assert {one.organisation for one in listing.list_reports(session).reports} == {"", "水务局", "大数据局", "政务服务中心"}


def test_a_scope_sees_and_makes_its_own_only(busy: Database, means: Means) -> None:
    city = make(busy, means, DUTY.actor, "daily", DAY)
    other = make(busy, means, DUTY.actor, "daily", DAY, organisation="大数据局")
    limited, water = busy.carrying(WATER), Principal(7, "shui.wu", "", "duty", zones=frozenset({"water-ot"}))
    mine = make(limited, means, water.actor, "daily", DAY, organisation="水务局")
    for foreign in ("", "大数据局", "无"):
        with pytest.raises(Invalid):
            make(limited, means, water.actor, "daily", DAY, organisation=foreign)
    with limited.write() as session:
        page = listing.list_reports(session)
        assert [one.id for one in page.reports] == [mine.id]
        assert page.hidden == 2
        for report in (city.id, other.id):
            with pytest.raises(NotFound):
                listing.read_file(session, water.actor, report, "pdf")


def test_lists_have_filters_and_pages_and_old_reports_go_by_age(busy: Database, means: Means, time: Clock) -> None:
    made = [make(busy, means, DUTY.actor, kind, DAY).id for kind in ("daily", "weekly", "daily")]
    with busy.read() as session:
        first = listing.list_reports(session, limit=2)
        assert [one.id for one in first.reports] == made[:0:-1]
        assert [one.id for one in listing.list_reports(session, limit=2, cursor=first.cursor).reports] == made[:1]
        assert [one.id for one in listing.list_reports(session, ReportFilter(kind="weekly")).reports] == [made[1]]
        assert listing.list_reports(session, ReportFilter(organisation="水务局")).reports == []
        with pytest.raises(Invalid):
            listing.list_reports(session, cursor="1 OR 1=1")
    time.now = clock.shift(time.now, 86_400 * listing.KEEP_DAYS + 1)
    with busy.write() as session:
        with pytest.raises(Invalid):
            listing.remove_old(session, SYSTEM, 1)
        assert listing.remove_old(session, SYSTEM) == 3
        assert listing.list_reports(session).reports == []
    with busy.read() as session:
        assert len(session.execute(select(AuditEntry).where(AuditEntry.action == "report.remove")).scalars().all()) == 3


def test_what_cannot_be_made(busy: Database, means: Means) -> None:
    for kind, day, language in (("daily", date(2026, 11, 27), "zh"), ("hourly", DAY, "zh"), ("daily", DAY, "fr")):
        with pytest.raises(Invalid):
            make(busy, means, DUTY.actor, kind, day, language=language)
    with pytest.raises(Conflict):
        make(busy, Means(None, None), DUTY.actor, "daily", DAY)
    with busy.read() as session:
        assert session.execute(select(func.count()).select_from(WebhookDelivery)).scalar_one() == 0


def test_the_migration_makes_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        told = [str(one) for one in compare_metadata(MigrationContext.configure(connection), Base.metadata)]
    assert [one for one in told if "report" in one] == []
    assert msgspec.json.encode(told).count(b"ix_tickets_created") == 0


def test_changes_are_told_in_full() -> None:
    assert change(1_234_567, 1_000_000) == "+234,567 (+23%)"
    assert (change(0, 3), change(3, 0), change(2, 2), change(None, 1)) == ("-3 (-100%)", "+3", "0", "")
