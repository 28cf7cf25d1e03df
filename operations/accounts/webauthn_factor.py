"""Security keys and passkeys as second factor (W3C Web Authentication Level 2), by the library ``webauthn``.

The relying party is the host name that the console is reached by; an address without a name (127.0.0.1) cannot be one. Each
challenge is kept on the server, bound to the session, and taken when it is answered. A sign count that does not grow tells of a
copied authenticator and is refused (Level 2, 6.1.1; counters that stay 0 are allowed).
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from operations import clock
from operations.accounts import challenges
from operations.accounts.factors import Check, add
from operations.accounts.models import Factor
from operations.accounts.schema import Principal
from operations.errors import Denied, Invalid

_REGISTER, _SIGN = "webauthn-register", "webauthn-sign"
_MOST_BYTES = 32_768


class Party(msgspec.Struct, frozen=True):
    """Who asks: ``origin`` as browsers write it (https://soc.example.cn), ``id`` its host."""

    origin: str

    @property
    def id(self) -> str:
        return urlsplit(self.origin).hostname or ""

    @property
    def usable(self) -> bool:
        """Browsers know security keys for names only, over https or on this machine (``localhost``)."""
        try:
            ipaddress.ip_address(self.id)
        except ValueError:
            return self.origin.startswith("https://") or self.id == "localhost"
        return False


def begin_registration(session: Session, who: Principal, party: Party) -> str:
    """What the browser's ``navigator.credentials.create`` needs, as JSON."""
    known = select(Factor.credential).where(Factor.user_id == who.user_id, Factor.kind == "webauthn")
    options = generate_registration_options(
        rp_id=party.id,
        rp_name="Liandun",
        user_id=f"liandun:{who.user_id}".encode(),
        user_name=who.name,
        user_display_name=who.display_name or who.name,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in session.execute(known).scalars()],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.DISCOURAGED
        ),
    )
    challenges.put(session, who.session, _REGISTER, bytes_to_base64url(options.challenge))
    return options_to_json(options)


def finish_registration(session: Session, who: Principal, party: Party, answer: str, name: str = "") -> None:
    """Enrol the authenticator that gave this answer. Raises Denied (no challenge), Invalid (the answer does not fit)."""
    challenge = challenges.take(session, who.session, _REGISTER)
    if challenge is None:
        raise Denied("this set-up has expired", "load the page again")
    try:
        verified = verify_registration_response(
            credential=_checked(answer),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=False,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise Invalid(f"the security key's answer does not fit: {error}", "try again", field="answer") from error
    credential = bytes_to_base64url(verified.credential_id)
    if session.execute(select(Factor.id).where(Factor.kind == "webauthn", Factor.credential == credential)).first():
        raise Invalid("this security key is enrolled already", field="answer")
    public = bytes_to_base64url(verified.credential_public_key)
    add(session, who, Factor(kind="webauthn", name=name, material=public, credential=credential, counter=verified.sign_count))


def begin_signing(session: Session, who: Principal, party: Party) -> str | None:
    """What ``navigator.credentials.get`` needs, as JSON; None where the account has no security key."""
    known = select(Factor.credential).where(Factor.user_id == who.user_id, Factor.kind == "webauthn")
    allowed = [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in session.execute(known).scalars()]
    if not allowed:
        return None
    options = generate_authentication_options(
        rp_id=party.id, allow_credentials=allowed, user_verification=UserVerificationRequirement.DISCOURAGED
    )
    challenges.put(session, who.session, _SIGN, bytes_to_base64url(options.challenge))
    return options_to_json(options)


def check_answer(who: Principal, party: Party, answer: str) -> Check:
    """For factors.prove: is this the signature that was asked for, by a key of this account?"""

    def check(session: Session) -> str | None:
        challenge = challenges.take(session, who.session, _SIGN)
        if challenge is None:
            return None
        try:
            credential = str(msgspec.json.decode(_checked(answer), type=dict).get("id", ""))
            query = select(Factor).where(Factor.user_id == who.user_id, Factor.kind == "webauthn", Factor.credential == credential)
            factor = session.execute(query.with_for_update()).scalar_one_or_none()
            if factor is None:
                return None
            verified = verify_authentication_response(
                credential=answer,
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=party.id,
                expected_origin=party.origin,
                credential_public_key=base64url_to_bytes(factor.material),
                credential_current_sign_count=factor.counter,
                require_user_verification=False,
            )
        except (WebAuthnException, msgspec.DecodeError, ValueError, KeyError, TypeError, Invalid):
            return None
        changed = update(Factor).where(Factor.id == factor.id)
        session.execute(changed.values(counter=verified.new_sign_count, used_at=clock.now()))
        return "webauthn"

    return check


def _checked(answer: str) -> str:
    if not 0 < len(answer) <= _MOST_BYTES:
        raise Invalid("the security key gave no answer", field="answer")
    return answer
