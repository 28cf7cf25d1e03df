"""SM2 certificates as second factor: made and signed by the openssl command, and by ``./liandun accounts answer``."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.accounts import command
from kernel.db import Database
from operations.accounts import certificate_factor, factors, sessions
from operations.accounts.schema import Principal
from operations.errors import Denied, Invalid
from tests.operations.accounts.conftest import HOME, People

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(
    OPENSSL is None and not os.environ.get("LIANDUN_REQUIRE_ALL"), reason="needs the openssl command (apt install openssl)"
)
ORIGIN = "https://soc.example.cn"
DISTID = "distid:1234567812345678"


class Card:
    """A key with its certificate, as a card or file holds it."""

    def __init__(self, folder: Path, name: str, days: int = 30) -> None:
        self.key, self.certificate, self._folder = folder / f"{name}.key", folder / f"{name}.pem", folder
        self._run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", str(self.key))
        made = (
            "req",
            "-x509",
            "-new",
            "-key",
            str(self.key),
            "-sm3",
            "-sigopt",
            DISTID,
            "-days",
            str(days),
            "-subj",
            f"/CN={name}",
        )
        self._run(*made, "-out", str(self.certificate))

    @property
    def pem(self) -> str:
        return self.certificate.read_text()

    def sign(self, text: str) -> str:
        """Base64, by openssl."""
        (self._folder / "text").write_text(text)
        signed = ("pkeyutl", "-sign", "-inkey", str(self.key), "-rawin", "-digest", "sm3", "-pkeyopt", DISTID)
        return base64.b64encode(self._run(*signed, "-in", str(self._folder / "text"))).decode()

    @staticmethod
    def _run(*arguments: str) -> bytes:
        return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path, "wang")


def enrolled(database: Database, person: People, card: Card) -> Principal:
    who = person("wang", "analyst")
    with database.write() as session:
        text = certificate_factor.begin(session, who, ORIGIN, enrol=True)
    with database.write() as session:
        certificate_factor.finish_enrolment(session, who, card.pem, card.sign(text), "card")
    return who


def attempt(database: Database, who: Principal, signature: str) -> None:
    factors.prove(database, who, certificate_factor.check_signature(who, signature), sessions.Asking(HOME))


def challenge(database: Database, who: Principal) -> str:
    with database.write() as session:
        return certificate_factor.begin(session, who, ORIGIN)


def test_a_signature_by_openssl_opens_once(database: Database, person: People, card: Card) -> None:
    who = enrolled(database, person, card)
    text = challenge(database, who)
    assert text.startswith(f"liandun-challenge-v1\nfor: {ORIGIN}\naccount: wang\nto: log in\nnonce: ")
    signature = card.sign(text)
    attempt(database, who, signature)
    with pytest.raises(Denied):
        attempt(database, who, signature)
    assert challenge(database, who) != text


def test_our_own_command_signs_the_same_way(database: Database, person: People, card: Card, tmp_path: Path) -> None:
    who = enrolled(database, person, card)
    (tmp_path / "challenge.txt").write_text(challenge(database, who))
    done = CliRunner().invoke(command, ["answer", "--key", str(card.key), str(tmp_path / "challenge.txt")])
    assert done.exit_code == 0, done.output
    attempt(database, who, done.stdout.strip().splitlines()[-1])
    (tmp_path / "other.txt").write_text("please sign this contract\n")
    assert CliRunner().invoke(command, ["answer", "--key", str(card.key), str(tmp_path / "other.txt")]).exit_code != 0


def test_signatures_of_other_keys_texts_and_forms(database: Database, person: People, card: Card, tmp_path: Path) -> None:
    who = enrolled(database, person, card)
    other = Card(tmp_path, "other")
    for make in (other.sign, lambda text: card.sign(text + "x"), lambda _: "", lambda _: "not base64 at all"):
        signature = make(challenge(database, who))
        with pytest.raises(Denied):
            attempt(database, who, signature)
    text = challenge(database, who)
    attempt(database, who, card.sign(text))


def test_what_is_no_valid_sm2_certificate(database: Database, person: People, card: Card, tmp_path: Path) -> None:
    who = person("wang", "analyst")
    with database.write() as session:
        text = certificate_factor.begin(session, who, ORIGIN, enrol=True)
    p256 = tmp_path / "p256.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"]
    subprocess.run([*made, "-keyout", str(tmp_path / "p256.key"), "-out", str(p256)], check=True, capture_output=True)
    for wrong in ("", "x", card.key.read_text(), p256.read_text(), card.pem.replace("A", "B", 3), "证书"):
        with pytest.raises(Invalid), database.write() as session:
            certificate_factor.finish_enrolment(session, who, wrong, card.sign(text))
    with pytest.raises(Invalid), database.write() as session:
        certificate_factor.finish_enrolment(session, who, card.pem, Card(tmp_path, "eve").sign(text))
    with database.read() as session:
        assert factors.list_factors(session, who.user_id) == []
