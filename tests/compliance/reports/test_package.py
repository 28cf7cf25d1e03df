"""Evidence packages: what is in them, verified with the authority's certificate or the key alone; tampered ones name the file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from compliance.evidence import keeping
from compliance.evidence.models import EvidenceRow
from compliance.reports.exporting import KINDS, Exported, Means, Wish, export
from compliance.reports.package import Attachment, PackageError, verify
from compliance.reports.package.evidence import ELSEWHERE, NO_ROOM, NOT_PERMITTED
from compliance.review import handouts
from compliance.review.schema import HandoutDraft
from compliance.systems import service as systems
from compliance.systems.schema import SystemDraft
from crypto.certificates import Certificate, read_certificates
from crypto.secret import MasterKey
from crypto.sm2 import PrivateKey
from operations import clock
from operations.accounts.schema import Principal
from operations.audit.models import AuditEntry
from operations.certificates import service as certificates
from operations.certificates.models import AuthorityRow
from operations.errors import Conflict, Invalid, NotFound
from operations.incidents import evidence
from operations.incidents import service as incidents
from operations.incidents.evidence_key import authority
from operations.incidents.models import IncidentEvidence
from operations.incidents.schema import NewIncident
from tests.compliance.assessment.small_system import TWO_FACTORS, SmallSystem

MASTER = MasterKey(b"0123456789abcdef")
ME = Principal(0, "alice", "", "responder")
PHOTO = Attachment("门禁 照片.jpg", b"\xff\xd8 not really")


def made(small: SmallSystem, *attachments: Attachment, who: Principal = ME) -> Exported:
    return export(small.database, Means(MASTER), who, small.id, Wish("evidence"), attachments)


def inside(octets: bytes) -> tuple[dict[str, bytes], dict[str, str]]:
    """Files of a package, and what it leaves out with the reason."""
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return files, {one["evidence"]: one["why"] for one in json.loads(files["evidence-not-included.json"])}


@pytest.fixture
def package(small: SmallSystem, tmp_path: Path) -> Path:
    path = tmp_path / "p.zip"
    path.write_bytes(made(small, PHOTO).octets)
    return path


def trusted(small: SmallSystem) -> list[Certificate]:
    with small.database.read() as session:
        return read_certificates(authority(session).encode())


def test_it_verifies_with_the_certificate_or_the_key_alone(small: SmallSystem, package: Path) -> None:
    found = verify(package, trusted=trusted(small))
    assert found.system == "供水调度"
    assert "attachments/门禁 照片.jpg" in found.files
    assert {"verdicts.json", "history.jsonl", "decisions.json", "oscal/assessment-results.json"} <= set(found.files)
    with zipfile.ZipFile(package) as archive:
        signer = read_certificates(archive.read("signer.pem"))[0]
        told = json.loads(archive.read("verdicts.json"))["verdicts"]
        missing = json.loads(archive.read("evidence-not-included.json"))
        lines = archive.read("history.jsonl").splitlines()
    assert verify(package, key=signer.public_key).files == found.files
    assert {one["verdict"] for one in told if one["item"] == TWO_FACTORS} == {"not_met", ""}
    assert missing == [{"evidence": "ab" * 32, "why": ELSEWHERE}]
    assert len(lines) == 6
    with pytest.raises(PackageError, match="not of this key"):
        verify(package, key=PrivateKey.generate().public)
    with pytest.raises(PackageError, match="nothing is there"):
        verify(package)
    with small.database.write() as session:
        certificates.create_root(session, ME.actor, MASTER, "other", "Another authority")
        other = session.get(AuthorityRow, "other")
        assert other is not None
        foreign = read_certificates(other.pem.encode())
    with pytest.raises(PackageError, match="not trusted"):
        verify(package, trusted=foreign)


def test_sealed_evidence_of_incidents_comes_with_its_custody(small: SmallSystem, tmp_path: Path) -> None:
    with small.database.write() as session:
        wanted = NewIncident("x", origin="hotline", severity="high", zones=("water-ot",), detected_at="2026-11-25T02:00:00.000000Z")
        number = incidents.create_incident(session, ME.actor, wanted).id
        sealed = evidence.seal(session, MASTER, ME.actor, number, "sshd_config", b"PermitRootLogin no", reason="check", origin="h1")
    small.person("met", TWO_FACTORS, small.other, evidence=sealed.evidence)
    path = tmp_path / "p.zip"
    path.write_bytes(made(small).octets)
    name = f"evidence/{sealed.evidence}.lev"
    assert name in verify(path, trusted=trusted(small)).files
    with small.database.read() as session:
        links = evidence.verify(session, number, sealed.id).links
    assert [one["action"] for one in links] == ["seal", "copy"]


def sealed_in_incident(small: SmallSystem) -> str:
    """Number of evidence that a verdict names."""
    with small.database.write() as session:
        number = incidents.create_incident(session, ME.actor, NewIncident("x", zones=("water-ot",))).id
        sealed = evidence.seal(session, MASTER, ME.actor, number, "mem.txt", b"memory", reason="check", origin="h1")
    small.person("met", TWO_FACTORS, small.other, evidence=sealed.evidence)
    return sealed.evidence


@pytest.mark.parametrize(
    ("name", "why"), [("reader", NOT_PERMITTED), ("planner", ELSEWHERE), ("water", NOT_PERMITTED), ("duty.one", "")]
)
def test_evidence_of_an_incident_is_copied_only_for_who_may_open_it(small: SmallSystem, name: str, why: str) -> None:
    wanted = sealed_in_incident(small)
    who, database = small.city.as_(name)
    files, left = inside(export(database, Means(MASTER), who, small.id, Wish("evidence")).octets)
    assert (f"evidence/{wanted}.lev" in files, left.get(wanted, "")) == (not why, why)
    with small.database.read() as session:
        piece = session.execute(select(IncidentEvidence).where(IncidentEvidence.evidence == wanted)).scalar_one()
        links = evidence.verify(session, piece.incident_id, piece.id).links
    assert [one["action"] for one in links] == ["seal"] + ["copy"] * (not why), "no custody record tells of more"


def test_a_link_for_outsiders_has_no_evidence_of_incidents(small: SmallSystem) -> None:
    wanted = sealed_in_incident(small)
    draft = HandoutDraft("evidence", "王工", clock.shift(clock.now(), 86_400))
    _, token = handouts.make(small.database, Means(MASTER), small.who, small.id, draft)
    files, left = inside(handouts.call(small.database, MASTER, token, "198.51.100.7", opening=True).content)
    assert left[wanted] == ELSEWHERE
    assert not [name for name in files if name.endswith(".lev")]


def test_what_people_brought_is_in_it(small: SmallSystem, tmp_path: Path) -> None:
    with small.database.write() as session:
        brought = keeping.keep(session, MASTER, small.who, small.id, "门禁 记录.pdf", b"%PDF-1.7 door", "三月")
        odd = keeping.keep(session, MASTER, small.who, small.id, "a.<b>", b"odd")
    small.person("met", TWO_FACTORS, small.other, evidence=brought.sm3)
    small.person("met", TWO_FACTORS, small.host, evidence=odd.sm3.upper())
    path = tmp_path / "p.zip"
    path.write_bytes(made(small).octets)
    assert f"evidence/kept/{brought.sm3}.pdf" in verify(path, trusted=trusted(small)).files
    files, left = inside(path.read_bytes())
    assert files[f"evidence/kept/{brought.sm3}.pdf"] == b"%PDF-1.7 door"
    assert files[f"evidence/kept/{odd.sm3}"] == b"odd"
    assert list(left) == ["ab" * 32]
    told = json.loads(files["evidence/kept.json"])
    assert [(one["name"], one["note"], one["by"]) for one in told] == [
        ("门禁 记录.pdf", "三月", "planner"),
        ("a.<b>", "", "planner"),
    ]
    with small.database.read() as session:
        opened = session.execute(select(AuditEntry.actor).where(AuditEntry.action == "mlps_evidence.open")).scalars()
        assert list(opened) == ["alice", "alice"]


def test_evidence_beyond_the_limits_is_named(small: SmallSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    with small.database.write() as session:
        long = keeping.keep(session, MASTER, small.who, small.id, "long.txt", b"x" * 101).sm3
        short = keeping.keep(session, MASTER, small.who, small.id, "short.txt", b"x").sm3
    small.person("met", TWO_FACTORS, small.other, evidence=long)
    small.person("met", TWO_FACTORS, small.host, evidence=short)
    monkeypatch.setattr("compliance.reports.package.evidence.MOST_READ", 100)
    files, left = inside(made(small).octets)
    assert (left[long], f"evidence/kept/{short}.txt" in files) == (NO_ROOM, True)
    monkeypatch.setattr("compliance.reports.package.evidence.MOST_FILES", 0)
    assert inside(made(small).octets)[1][short] == NO_ROOM


def test_a_broken_seal_is_told_and_not_handed_on(small: SmallSystem) -> None:
    with small.database.write() as session:
        digest = keeping.keep(session, MASTER, small.who, small.id, "a.txt", b"a").sm3
        session.execute(update(EvidenceRow).values(head="00" * 32))
    small.person("met", TWO_FACTORS, small.other, evidence=digest)
    files, left = inside(made(small).octets)
    assert "does not open" in left[digest]
    assert not [name for name in files if digest in name]


def test_evidence_of_another_system_stays_there(small: SmallSystem) -> None:
    with small.database.write() as session:
        other = systems.create_system(session, small.who, SystemDraft("别的系统", "S3A3")).id
        digest = keeping.keep(session, MASTER, small.who, other, "a.txt", b"other").sm3
    small.person("met", TWO_FACTORS, small.other, evidence=digest)
    assert inside(made(small).octets)[1][digest] == ELSEWHERE


def _changed(package: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    with zipfile.ZipFile(package) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    other = package.with_name("other.zip")
    with zipfile.ZipFile(other, "w") as archive:
        for name, octets in files.items():
            archive.writestr(name, octets)
    return other


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda files: files.update({"verdicts.json": files["verdicts.json"].replace(b"not_met", b"met", 1)}), "verdicts.json"),
        (lambda files: files.pop("history.jsonl"), "history.jsonl"),
        (lambda files: files.update({"attachments/more.txt": b"x"}), "attachments/more.txt"),
        (lambda files: files.update({"manifest.txt": files["manifest.txt"] + b"\n"}), "manifest.txt"),
        (lambda files: files.pop("manifest.sig"), "manifest.sig"),
        (lambda files: files.update({"signer.pem": b"x"}), "signer.pem"),
        (lambda files: files.update({"attachments/门禁 照片.jpg": b"\xff\xd8 another one"}), "attachments/门禁 照片.jpg"),
    ],
)
def test_a_tampered_one_names_the_file(
    small: SmallSystem, package: Path, change: Callable[[dict[str, bytes]], object], broken: str
) -> None:
    with pytest.raises(PackageError, match=broken) as found:
        verify(_changed(package, change), trusted=trusted(small))
    assert found.value.files == (broken,)


def test_a_flipped_bit_anywhere_is_found(small: SmallSystem, package: Path) -> None:
    octets, roots = package.read_bytes(), trusted(small)
    intact = verify(package, trusted=roots)
    for at in range(40, len(octets), len(octets) // 60):
        package.write_bytes(octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :])
        try:
            assert verify(package, trusted=roots) == intact  # a bit of the archive that says nothing
        except PackageError:
            continue


def test_hostile_archives_are_refused(small: SmallSystem, package: Path) -> None:
    roots = trusted(small)
    package.with_name("n.zip").write_bytes(b"PK")
    with pytest.raises(PackageError, match=r"n\.zip"):
        verify(package.with_name("n.zip"), trusted=roots)
    with pytest.raises(PackageError, match="larger than"):
        verify(_changed(package, lambda files: files.update({str(n): b"" for n in range(2_001)})), trusted=roots)
    out = io.BytesIO(package.read_bytes())
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("verdicts.json", b"{}")
    package.write_bytes(out.getvalue())
    with pytest.raises(PackageError, match=r"verdicts\.json: it is there twice"):
        verify(package, trusted=roots)


def test_what_cannot_be_built(small: SmallSystem) -> None:
    for name in ("../x", "a/b", "", ".hidden", "a\nb", "x" * 200):
        with pytest.raises(Invalid, match="name of an attached"):
            made(small, Attachment(name, b"x"))
    with pytest.raises(Invalid, match="twice"):
        made(small, PHOTO, PHOTO)
    with pytest.raises(Conflict, match="master key"):
        export(small.database, Means(), ME, small.id, Wish("evidence"))


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_export_is_audited_and_only_for_those_who_see_the_system(small: SmallSystem, kind: str) -> None:
    found = export(small.database, Means(MASTER), ME, small.id, Wish(kind))
    assert found.octets
    assert found.name.endswith("." + KINDS[kind][0])
    with small.database.read() as session:
        acts = session.execute(select(AuditEntry).where(AuditEntry.action == "compliance.export")).scalars().all()
    assert [(one.actor, json.loads(one.detail)["kind"]) for one in acts] == [("alice", kind)]
    _, foreign = small.city.as_("traffic")
    with pytest.raises(NotFound):
        export(foreign, Means(MASTER), ME, small.id, Wish(kind))
    for wrong in (Wish("nothing"), Wish(kind, "exe"), Wish(kind, language="fr"), Wish(kind, template="1999")):
        with pytest.raises(Invalid):
            export(small.database, Means(MASTER), ME, small.id, wrong)
