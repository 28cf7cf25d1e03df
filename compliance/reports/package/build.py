"""A package built, signed and audited in one transaction."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy.orm import Session

from compliance.reports import oscal
from compliance.reports.material import Material
from compliance.reports.package import contents, evidence, manifest
from crypto.secret import MasterKey
from operations import clock
from operations.accounts.schema import Principal
from operations.errors import Conflict, Invalid
from operations.incidents.evidence_key import keys

MOST_OCTETS = 256 << 20
MOST_ATTACHMENTS = 500
_NAME = re.compile(r"[^\x00-\x1f\x7f/\\:*?\"<>|]{1,120}")
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Attachment(msgspec.Struct, frozen=True):
    """A file that goes in beside what the platform holds: a photograph, a policy, a scanned record."""

    name: str
    octets: bytes


def build(
    session: Session, master: MasterKey | None, who: Principal, material: Material, language: str,
    attachments: Sequence[Attachment] = (),
) -> bytes:  # fmt: skip
    """The bytes of a ZIP archive, with the evidence that ``who`` may open. Needs a write transaction.

    Raises Invalid; Conflict without a master key.
    """
    if master is None:
        raise Conflict("there is no master key, so the platform cannot sign", "see docs/secrets.md")
    pair = keys(session, master)  # first, so that a new certificate is older than the package
    files = {f"oscal/{name}": octets for name, octets in oscal.files(material, language).items()}
    files |= {
        "verdicts.json": contents.verdicts(material),
        "verdicts-39786.json": contents.crypto_verdicts(session, material),
        "history.jsonl": contents.history(session, material),
        "decisions.json": contents.decisions(material),
    }
    reason = f"evidence package of {material.system.name}"
    found = evidence.gather(session, master, who, material, reason[:200])
    left = [{"evidence": name, "why": why} for name, why in found.left.items()]
    files |= found.files | _attached(attachments)
    files["evidence-not-included.json"] = msgspec.json.format(msgspec.json.encode(left), indent=1) + b"\n"
    if sum(map(len, files.values())) > MOST_OCTETS:
        raise Invalid(f"the package would have more than {MOST_OCTETS >> 20} MiB", "attach less")
    text = manifest.write(material.system.name, clock.now(), files)
    signature = pair.signer.key.sign(text.encode())
    signed = {
        manifest.MANIFEST: text.encode(),
        manifest.SIGNATURE: signature,
        manifest.SIGNER: pair.signer.certificate.to_pem().encode(),
    }
    return _archive(signed | dict(sorted(files.items())))


def _attached(attachments: Sequence[Attachment]) -> dict[str, bytes]:
    """Raises Invalid for a name that is a path or stands there twice."""
    if len(attachments) > MOST_ATTACHMENTS:
        raise Invalid(f"at most {MOST_ATTACHMENTS} files can be attached")
    files: dict[str, bytes] = {}
    for one in attachments:
        name = f"attachments/{one.name}"
        if not _NAME.fullmatch(one.name) or one.name.strip(". ") != one.name or name in files:
            raise Invalid(f"{one.name[:60]!r} cannot be the name of an attached file, or is there twice", field="attachments")
        files[name] = one.octets
    return files


def _archive(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), octets, zipfile.ZIP_DEFLATED)
    return out.getvalue()
