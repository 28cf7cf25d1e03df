"""An SM2 certificate as second factor: its holder signs a challenge (SM2 with SM3, GB/T 32918.2; GM/T 0021 knows no such thing).

Browsers cannot sign with SM2 keys, so the challenge is a short text to be carried to where the key is: to ``./liandun accounts
answer``, or any program that makes an SM2 signature with the default identifier over exactly this text. The certificate is bound to
the account when its holder has signed once, so no certification authority has to be trusted for it; its time of validity counts.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

from asn1crypto import pem, x509
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crypto.errors import CryptoError
from crypto.sm2 import PublicKey
from crypto.sm3 import sm3
from operations import clock
from operations.accounts import challenges
from operations.accounts.factors import Check, add
from operations.accounts.models import Factor
from operations.accounts.schema import Principal
from operations.accounts.tokens import new_token
from operations.errors import Conflict, Denied, Invalid

FIRST_LINE = "liandun-challenge-v1"
_SIGN, _ENROL = "certificate-sign", "certificate-enrol"
_MOST_BYTES = 16_384


def begin(session: Session, who: Principal, origin: str, *, enrol: bool = False) -> str:
    """The text to be signed; asked for again it is the same until it is answered or ten minutes have passed."""
    purpose = _ENROL if enrol else _SIGN
    known = challenges.peek(session, who.session, purpose)
    if known is not None:
        return known
    lines = (FIRST_LINE, f"for: {origin}", f"account: {who.name}", f"to: {'enrol' if enrol else 'log in'}", f"nonce: {new_token()}")
    text = "\n".join(lines) + "\n"
    challenges.put(session, who.session, purpose, text)
    return text


def finish_enrolment(session: Session, who: Principal, certificate: str, signature: str, name: str = "") -> None:
    """Enrol a certificate (PEM) whose key has signed the text of :func:`begin`. Raises Invalid, Denied, Conflict."""
    text = challenges.peek(session, who.session, _ENROL)
    if text is None:
        raise Denied("this set-up has expired", "load the page again")
    key, digest = _read(certificate)
    if not _signed(key, text, signature):
        raise Invalid("the signature does not fit the certificate and the text", "sign exactly the text shown", field="signature")
    if challenges.take(session, who.session, _ENROL) is None:
        raise Conflict("this factor was added already", "load the page again")
    add(session, who, Factor(kind="certificate", name=name, material=certificate.strip(), credential=digest))


def check_signature(who: Principal, signature: str) -> Check:
    """For factors.prove: is this a signature of the text that was asked for, by a certificate of this account?"""

    def check(session: Session) -> str | None:
        text = challenges.take(session, who.session, _SIGN)
        if text is None:
            return None
        query = select(Factor).where(Factor.user_id == who.user_id, Factor.kind == "certificate")
        for factor in session.execute(query).scalars():
            try:
                key, _ = _read(factor.material)
            except Invalid:  # its time is over
                continue
            if _signed(key, text, signature):
                session.execute(update(Factor).where(Factor.id == factor.id).values(used_at=clock.now()))
                return "certificate"
        return None

    return check


def _read(certificate: str) -> tuple[PublicKey, str]:
    """Key and SM3 digest of a certificate that is valid now. Raises Invalid."""
    try:
        octets = certificate.encode("ascii")
        if len(octets) > _MOST_BYTES or not pem.detect(octets):
            raise ValueError("no PEM")
        kind, _, der = pem.unarmor(octets)
        if kind != "CERTIFICATE":
            raise ValueError(f"a {kind.lower()}, not a certificate")
        parsed = x509.Certificate.load(der, strict=True)
        key = PublicKey.from_der(parsed.public_key.dump())
        begins, ends = (
            parsed["tbs_certificate"]["validity"]["not_before"].native,
            parsed["tbs_certificate"]["validity"]["not_after"].native,
        )
    except (ValueError, TypeError, KeyError, CryptoError) as error:
        raise Invalid(f"this is no SM2 certificate: {error}", "paste the PEM text of a certificate", field="certificate") from error
    if not begins <= datetime.now(UTC) <= ends:
        raise Invalid("this certificate is not valid today", "use one that is", field="certificate")
    return key, sm3(der).hex()


def _signed(key: PublicKey, text: str, signature: str) -> bool:
    try:
        octets = base64.b64decode("".join(signature.split()), validate=True)
        return key.verify(text.encode(), octets)
    except (binascii.Error, ValueError, CryptoError):
        return False
