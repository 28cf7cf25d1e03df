"""Every known answer of ../shared/gm-vectors, on every back end; and the judge itself."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from crypto.errors import CryptoError
from crypto.sm2.engine import Engine
from crypto.sm3 import ABC
from crypto.sm4.gcm import GcmEngine
from crypto.vectors import Outcome, run_file

NAMES = [
    "hkdf_sm3",
    "hmac_sm3_gmt0042",
    "hmac_sm3_wycheproof",
    "otp_gmt0021",
    "pbkdf2_sm3",
    "sm2_encrypt_botan",
    "sm2_encrypt_cases",
    "sm2_exchange_cases",
    "sm2_key_cases",
    "sm2_openssl",
    "sm2_sign_botan",
    "sm2_sign_cases",
    "sm3",
    "sm4_cbc_pkcs7",
    "sm4_ccm_wycheproof",
    "sm4_gcm_wycheproof",
    "sm4_modes",
    "sm9_examples",
    "zuc",
]


def outcomes(path: Path) -> list[Outcome]:
    return list(run_file(path))


@pytest.mark.parametrize("name", NAMES)
def test_every_case_passes(shared: Path, name: str) -> None:
    path = shared / "gm-vectors" / f"{name}.json"
    ran = outcomes(path)
    assert len(ran) == len(json.loads(path.read_text())["cases"])
    assert [outcome for outcome in ran if not outcome.passed] == []


def test_no_file_is_left_out(shared: Path) -> None:
    assert sorted(path.stem for path in (shared / "gm-vectors").glob("*.json")) == NAMES


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("sm2")])
def test_sm2_on_each_back_end(shared: Path, name: str, sm2_engine: Engine) -> None:
    assert [outcome for outcome in outcomes(shared / "gm-vectors" / f"{name}.json") if not outcome.passed] == []


def test_gcm_on_each_back_end(shared: Path, gcm_engine: GcmEngine) -> None:
    ran = outcomes(shared / "gm-vectors" / "sm4_gcm_wycheproof.json")
    assert [outcome for outcome in ran if not outcome.passed] == []
    assert Counter(outcome.result for outcome in ran) == {"valid": 50, "invalid": 19}


@pytest.mark.parametrize(
    ("case", "got"),
    [
        ({"message": "616263", "digest": "00" * 32, "result": "valid"}, "66c7"),  # a wrong statement
        ({"message": "616263", "digest": "66c7", "result": "invalid"}, "66c7"),  # to be refused, and was not
        ({"ikm": "", "salt": "", "info": "", "size": 9000, "okm": "", "result": "valid"}, "refused"),  # refused, but stated valid
        ({"something": 1, "result": "valid"}, "error"),  # no known form
        ({"something": 1, "result": "invalid"}, "error"),  # which is no refusal
        ({"message": "6", "digest": "66c7", "result": "invalid"}, "error"),  # nor is a malformed case
    ],
)
def test_the_judge_is_not_kind(tmp_path: Path, case: dict[str, object], got: str) -> None:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"what": "", "cases": [{"id": "x"} | case]}))
    (outcome,) = outcomes(path)
    assert not outcome.passed
    assert outcome.got.startswith(got)


def test_acceptable_means_the_right_output_or_none(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    good = {"id": "x", "message": "616263", "result": "acceptable", "digest": ABC.hex()}
    path.write_text(json.dumps({"cases": [good, good | {"digest": "00"}]}))
    assert [outcome.passed for outcome in outcomes(path)] == [True, False]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"cases": 5}', '{"cases": [5]}', "nonsense"])
def test_another_file_is_told_apart(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cases.json"
    path.write_text(text)
    with pytest.raises(CryptoError, match="not a file of known answers"):
        outcomes(path)
