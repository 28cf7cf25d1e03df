"""Recovery codes: ten one-time codes for the day the second factor is lost (ASVS 2.6: 80 random bits each, salted and hashed)."""

from __future__ import annotations

import base64
import hmac
import re
import secrets

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from crypto.sm3 import sm3
from operations import clock
from operations.accounts.models import RecoveryCode

CODES = 10
_SHAPE = re.compile(r"[A-Z2-7]{16}")


def renew(session: Session, user_id: int) -> list[str]:
    """Ten new codes, to be shown once; the old ones are worthless from now on."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [base64.b32encode(secrets.token_bytes(10)).decode() for _ in range(CODES)]
    for code in codes:
        salt = secrets.token_hex(16)
        session.add(RecoveryCode(user_id=user_id, salt=salt, digest=_digest(salt, code)))
    session.flush()
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]


def use(session: Session, user_id: int, text: str) -> bool:
    """True where this is an unused code of the account, which is used up with it."""
    code = re.sub(r"[\s-]", "", text).upper()
    if not _SHAPE.fullmatch(code):
        return False
    unused = select(RecoveryCode).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)).with_for_update()
    right = [row for row in session.execute(unused).scalars() if hmac.compare_digest(row.digest, _digest(row.salt, code))]
    if not right:
        return False
    mine = update(RecoveryCode).where(RecoveryCode.id == right[0].id, RecoveryCode.used_at.is_(None))
    return bool(session.connection().execute(mine.values(used_at=clock.now())).rowcount)


def left(session: Session, user_id: int) -> int:
    """How many codes are unused."""
    unused = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return session.execute(unused.select_from(RecoveryCode)).scalar_one()


def _digest(salt: str, code: str) -> str:
    return sm3(bytes.fromhex(salt) + code.encode()).hex()
