"""What is revoked, published for processes with links (crypto.channel.revocations): at every act, and by the scheduler's clock."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto.certificates import read_certificates
from crypto.channel.identity import issuer_id
from crypto.channel.revocations import Revocations, listed, write_revocations
from kernel.db import Database
from operations.certificates.models import AuthorityRow, CertificateRow, RevocationListRow


class RevocationPublisher:
    """Call it often: the lists are read anew only when they were replaced, the file is written only when something changed."""

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._path = path
        self._written: Revocations | None = None
        self._lists: dict[str, tuple[str, Revocations]] = {}

    def __call__(self) -> None:
        """Raises OSError where the file cannot be written, and what the database raises."""
        with self._database.read() as session:
            revoked = self._own(session)
            for issuer, taken_at in session.execute(select(RevocationListRow.issuer, RevocationListRow.taken_at)):
                for name, serials in self._list(session, issuer, taken_at).items():
                    revoked[name] = revoked.get(name, frozenset()) | serials
        if revoked != self._written or not self._path.exists():
            write_revocations(self._path, revoked)
            self._written = revoked

    def _own(self, session: Session) -> Revocations:
        found: dict[str, set[str]] = {}
        query = select(CertificateRow.authority, CertificateRow.serial).where(CertificateRow.revoked_at > "")
        for authority, serial in session.execute(query):
            found.setdefault(authority, set()).add(serial)
        if not found:
            return {}
        pems = session.execute(select(AuthorityRow.name, AuthorityRow.pem).where(AuthorityRow.name.in_(found)))
        revoked: Revocations = {}
        for name, pem in pems:  # authorities may have one subject, as after a change of key
            issuer = issuer_id(read_certificates(pem.encode())[0].subject_der)
            revoked[issuer] = revoked.get(issuer, frozenset()) | found[name]
        return revoked

    def _list(self, session: Session, issuer: str, taken_at: str) -> Revocations:
        known = self._lists.get(issuer)
        if known is None or known[0] != taken_at:
            pem = session.execute(select(RevocationListRow.pem).where(RevocationListRow.issuer == issuer)).scalar_one()
            known = self._lists[issuer] = (taken_at, listed(pem.encode()))
        return known[1]
