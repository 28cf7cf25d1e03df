"""Speed of the cryptography against `openssl speed`, Go's gmsm, tongsuopy, cryptography and gmssl, in one run.

    .venv/bin/python -m benchmarks.crypto [--seconds 1] [--rounds 3] [--json FILE]

Rates are per second of each process's own CPU time, one thread, the best of the rounds, which take turns over the programs so that
a busy machine hits all of them alike. The goals: SM3 >= 0.85 of openssl speed at 1 MB, SM4-GCM >= 0.8 of the best wheel that
Python can reach, SM2 signing and verifying >= 0.75 of openssl speed. Exit code 1 where one is missed. Needs openssl 3;
what else is not installed (go, tongsuopy) has no column.
"""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # not this folder: this file would hide the package of its name

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: E402
from gmssl import func  # noqa: E402
from gmssl import sm3 as gmssl_sm3  # noqa: E402
from gmssl.sm2 import CryptSM2  # noqa: E402

from crypto.second_opinion import readable_key  # noqa: E402
from crypto.sm2.engine import engine as sm2_engine  # noqa: E402
from crypto.sm3 import backend as sm3_backend  # noqa: E402
from crypto.sm3 import sm3  # noqa: E402
from crypto.sm4 import decrypt_gcm, encrypt_gcm  # noqa: E402
from crypto.sm4.gcm import engine as gcm_engine  # noqa: E402
from tests.crypto.gmsm_source import SOURCE, go  # noqa: E402

try:
    from tongsuopy.crypto.ciphers.aead import SM4GCM
except ModuleNotFoundError:  # the runtime lock leaves it out, and there is no wheel of it for every processor
    SM4GCM = None

MEGABYTE = 1 << 20
NO_TONGSUOPY = "no column tongsuopy: it is not installed (pip install tongsuopy)"
GOALS = {  # operation: (least ratio, against whom)
    "SM3 1 MB": (0.85, ("openssl speed",)),
    "SM4-GCM 1 MB seal": (0.8, ("cryptography", "tongsuopy")),
    "SM2 sign": (0.75, ("openssl speed",)),
    "SM2 verify": (0.75, ("openssl speed",)),
}
OURS = "liandun"
Rates = dict[str, dict[str, float]]
"""Operation, who, operations (or MB of 10^6 bytes) per CPU second."""


def rate(operation: Callable[[], object], seconds: float) -> float:
    """How often per second of this process's CPU time."""
    operation()
    start, count = time.process_time(), 0
    while True:
        operation()
        count += 1
        spent = time.process_time() - start
        if spent >= seconds:
            return count / spent


def python_measures() -> Iterator[tuple[str, str, Callable[[], object], float]]:
    """Operation, who, the call, and what one call counts for."""
    key, message = readable_key(), secrets.token_bytes(64)
    signature, ciphertext = key.sign(message), key.public.encrypt(message)
    yield "SM2 sign", OURS, lambda: key.sign(message), 1
    yield "SM2 verify", OURS, lambda: key.public.verify(message, signature), 1
    yield "SM2 encrypt", OURS, lambda: key.public.encrypt(message), 1
    yield "SM2 decrypt", OURS, lambda: key.decrypt(ciphertext), 1
    large, block, nonce, secret = secrets.token_bytes(MEGABYTE), secrets.token_bytes(1024), bytes(12), secrets.token_bytes(16)
    sealed = encrypt_gcm(secret, nonce, large)
    yield "SM3 1 KB", OURS, lambda: sm3(block), 1024 / 1e6
    yield "SM3 1 MB", OURS, lambda: sm3(large), MEGABYTE / 1e6
    yield "SM4-GCM 1 KB seal", OURS, lambda: encrypt_gcm(secret, nonce, block), 1024 / 1e6
    yield "SM4-GCM 1 MB seal", OURS, lambda: encrypt_gcm(secret, nonce, large), MEGABYTE / 1e6
    yield "SM4-GCM 1 MB open", OURS, lambda: decrypt_gcm(secret, nonce, sealed), MEGABYTE / 1e6
    for name, data in (("SM4-GCM 1 KB seal", block), ("SM4-GCM 1 MB seal", large)):
        yield name, "cryptography", lambda data=data: wheel_gcm(secret, nonce, data), len(data) / 1e6
        if SM4GCM is not None:
            yield name, "tongsuopy", lambda data=data: SM4GCM(secret).encrypt(nonce, data, b""), len(data) / 1e6
    peer = CryptSM2(private_key=key.to_bytes().hex(), public_key=key.public.to_bytes()[1:].hex(), mode=1)
    raw, bare = key.sign(message, encoding="raw").hex(), key.public.encrypt(message, "c1c3c2-bare")
    yield "SM2 sign", "gmssl", lambda: peer.sign_with_sm3(message), 1
    yield "SM2 verify", "gmssl", lambda: peer.verify_with_sm3(raw, message), 1
    yield "SM2 encrypt", "gmssl", lambda: peer.encrypt(message), 1
    yield "SM2 decrypt", "gmssl", lambda: peer.decrypt(bare), 1
    yield "SM3 1 KB", "gmssl", lambda: gmssl_sm3.sm3_hash(func.bytes_to_list(block)), 1024 / 1e6


def wheel_gcm(key: bytes, nonce: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    return encryptor.update(data) + encryptor.finalize() + encryptor.tag


def openssl_speed(seconds: int) -> Iterator[tuple[str, str, float]]:
    """`openssl speed -mr`: SM2 as operations, SM3 as bytes per second of CPU time."""

    def last(*arguments: str) -> list[str]:
        command = ["openssl", "speed", "-mr", "-seconds", str(seconds), *arguments]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        return next(line for line in lines if line.startswith("+F")).split(":")

    signing = last("sm2")
    yield "SM2 sign", "openssl speed", float(signing[-2])
    yield "SM2 verify", "openssl speed", float(signing[-1])
    for name, size in (("SM3 1 KB", 1024), ("SM3 1 MB", MEGABYTE)):
        yield name, "openssl speed", float(last("-bytes", str(size), "-evp", "sm3")[-1]) / 1e6


def gmsm(program: Path) -> Iterator[tuple[str, str, float]]:
    answer = json.loads(subprocess.run([str(program), "bench"], capture_output=True, text=True, check=True).stdout)
    for name, value in answer.items():
        yield name, "gmsm", value


def measure(seconds: float, rounds: int, program: Path | None) -> Rates:
    rates: Rates = {}

    def keep(operation: str, who: str, value: float) -> None:
        row = rates.setdefault(operation, {})
        row[who] = max(row.get(who, 0.0), value)

    for _ in range(rounds):
        for operation, who, call, counts in python_measures():
            keep(operation, who, rate(call, seconds) * counts)
        for result in openssl_speed(max(1, round(seconds))):
            keep(*result)
        for result in gmsm(program) if program else ():
            keep(*result)
    return rates


def report(rates: Rates) -> bool:
    """Print the table; True where every goal is met."""
    columns = [OURS, "openssl speed", "cryptography", *(["tongsuopy"] if SM4GCM is not None else []), "gmsm", "gmssl"]
    print(f"SM2: {sm2_engine().name}; SM3: {sm3_backend()}; SM4-GCM: {gcm_engine().name}\n")
    print("| per CPU second | " + " | ".join(columns) + " | goal | ratio |")
    print("|---|" + "---:|" * len(columns) + "---|---|")
    met = True
    for operation, row in rates.items():
        unit = "" if operation.startswith("SM2") else " MB"
        cells = [f"{row[who]:,.{0 if row[who] >= 10 else 1}f}{unit}" if who in row else "" for who in columns]
        goal, ratio = "", ""
        if operation in GOALS:
            least, peers = GOALS[operation]
            best = max((row[who], who) for who in peers if who in row)
            reached = row[OURS] / best[0]
            met &= reached >= least
            goal, ratio = f">= {least} of {best[1]}", f"{reached:.2f}{'' if reached >= least else ' MISSED'}"
        print(f"| {operation} | " + " | ".join(cells) + f" | {goal} | {ratio} |")
    return met


def main() -> int:
    """See the module."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=1.0)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    load = Path("/proc/loadavg").read_text().split()[0] if Path("/proc/loadavg").exists() else "unknown"
    print(f"load before: {load}")
    if SM4GCM is None:
        print(NO_TONGSUOPY)
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "gmsm-peer" if go() else None
        if program:
            subprocess.run([str(go()), "build", "-o", str(program), "."], cwd=SOURCE, check=True)
        rates = measure(chosen.seconds, chosen.rounds, program)
    met = report(rates)
    if chosen.json:
        chosen.json.write_text(json.dumps(rates, indent=1) + "\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
