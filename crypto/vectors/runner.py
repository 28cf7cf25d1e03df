"""Runs the cases of a file and judges them.

A ``valid`` case passes where the stated output comes out; an ``invalid`` one where it is refused; an ``acceptable`` one either
way, but a wrong output fails it too. What a case is, its fields say (``_CLASSES``); an unknown form is a failure, never skipped.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crypto.errors import CryptoError
from crypto.vectors import plain_cases, sm2_cases, symmetric_cases

Case = dict[str, Any]
Answer = tuple[str, str]
"""What the case states and what came out, in hex or in a word."""

_REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """One line of the report; ``kind`` is the class that totals are counted by."""

    file: str
    id: str
    kind: str
    result: str
    expected: str
    got: str
    passed: bool
    reason: str = ""


@dataclass
class Totals:
    """Counts by class: cases, and failed ones."""

    cases: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        self.cases[outcome.kind] += 1
        self.failed[outcome.kind] += not outcome.passed


_CLASSES: tuple[tuple[str, frozenset[str], Callable[[Case], Answer]], ...] = tuple(
    (kind, frozenset(fields.split()), handler)
    for kind, fields, handler in (
        ("SM2 key exchange", "initiator_private responder_private", sm2_cases.exchange),
        ("SM2 key import", "kind encoding", sm2_cases.key_import),
        ("SM2 signature of a digest", "operation digest signature", sm2_cases.verify_digest),
        ("SM2 signature, nonce given", "nonce message signature private_key", sm2_cases.sign_with_nonce),
        ("SM2 signature", "public_key message signature", sm2_cases.verify),
        ("SM2 encryption", "private_key ciphertext", sm2_cases.decrypt),
        ("SM9", "expected decoded", plain_cases.sm9),
        ("ZUC 128-EIA3", "algorithm mac", plain_cases.eia3),
        ("ZUC 128-EEA3", "algorithm pt ct", plain_cases.eea3),
        ("one-time password", "otp time_factor", plain_cases.otp),
        ("PBKDF2-SM3", "password iterations", plain_cases.pbkdf2),
        ("HKDF-SM3", "ikm okm", plain_cases.hkdf),
        ("SM4 modes", "mode pt ct", symmetric_cases.mode),
        ("SM4 AEAD", "iv aad msg ct tag", symmetric_cases.aead),
        ("SM4-CBC with padding", "key iv msg ct", symmetric_cases.cbc_padding),
        ("HMAC-SM3", "key msg tag", plain_cases.hmac),
        ("SM3", "message digest", plain_cases.digest),
    )
)


def run_file(path: Path) -> Iterator[Outcome]:
    """The outcome of every case of one file. Raises CryptoError where it is not such a file."""
    try:
        document = json.loads(path.read_bytes())
        cases = [dict(case) for case in document["cases"]]
        what = str(document.get("what", ""))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CryptoError(f"{path}: not a file of known answers (JSON with cases): {error}") from error
    for number, case in enumerate(cases):
        yield _run(path.name, {"id": f"case {number}", "result": "valid", "what": what} | case)


def _run(file: str, case: Case) -> Outcome:
    kind, handler = _class_of(case)
    expected, got, reason = "an output", _REFUSED, ""
    try:
        expected, got = handler(case)
    except CryptoError as error:
        reason = str(error)
    except (KeyError, TypeError, ValueError) as error:  # a malformed case, or a bug of ours: never taken for a refusal
        got, reason = "error", f"{type(error).__name__}: {error}"
    result = case["result"]
    if result == "invalid":
        expected = _REFUSED
    passed = got == expected or (result == "acceptable" and got == _REFUSED)
    return Outcome(file, case["id"], kind, result, expected, got, passed, reason)


def _class_of(case: Case) -> tuple[str, Callable[[Case], Answer]]:
    for kind, fields, handler in _CLASSES:
        if fields <= case.keys():
            return ("SM4-CCM" if "CCM" in case["what"] else "SM4-GCM") if kind == "SM4 AEAD" else kind, handler
    return "unknown form", _unknown


def _unknown(case: Case) -> Answer:
    raise KeyError(f"no known class has the fields {', '.join(sorted(case))}")
