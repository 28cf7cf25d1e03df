#!/usr/bin/env python3
"""Verify an exported audit trail of Liandun, offline. Needs Python 3.9 or later and nothing else.

    python3 verify.py                       the bundle in whose folder this file lies
    python3 verify.py BUNDLE.zip            a bundle that was not unpacked
    python3 verify.py --proof PROOF.json    one entry (from: liandun audit prove ID --json)
    --key ID                                the trail's first key, as noted elsewhere; without it, compare the printed one yourself

Exit code 0: everything is what was signed. 1: it is not, the first bad position is named. 2: the bundle cannot be read.

Rules: leaf = SM3(0x00 || line of entries.jsonl), node = SM3(0x01 || left || right), shape of RFC 9162 section 2.1; heads and keys
are signed with SM2 (GB/T 32918.2, curve of GB/T 32918.5, SM3, identifier 1234567812345678, DER) over lines of text that
head_statement and key_statement below put together. SM3 is GB/T 32905-2016.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# --- SM3 (GB/T 32905-2016) --------------------------------------------------------------------------------------------------------

_MASK = 0xFFFFFFFF
_IV = (0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E)


def _rotate(x: int, n: int) -> int:
    n &= 31
    return ((x << n) | (x >> (32 - n))) & _MASK


def own_sm3(data: bytes) -> bytes:
    """SM3, written out."""
    length = len(data) * 8
    data += b"\x80" + b"\x00" * ((55 - len(data)) % 64) + length.to_bytes(8, "big")
    state = list(_IV)
    for start in range(0, len(data), 64):
        words = [int.from_bytes(data[start + i : start + i + 4], "big") for i in range(0, 64, 4)]
        for j in range(16, 68):
            x = words[j - 16] ^ words[j - 9] ^ _rotate(words[j - 3], 15)
            words.append(x ^ _rotate(x, 15) ^ _rotate(x, 23) ^ _rotate(words[j - 13], 7) ^ words[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            t = 0x79CC4519 if j < 16 else 0x7A879D8A
            s1 = _rotate((_rotate(a, 12) + e + _rotate(t, j)) & _MASK, 7)
            s2 = s1 ^ _rotate(a, 12)
            ff = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
            gg = e ^ f ^ g if j < 16 else (e & f) | (~e & g)
            t1 = (ff + d + s2 + (words[j] ^ words[j + 4])) & _MASK
            t2 = (gg + h + s1 + words[j]) & _MASK
            d, c, b, a = c, _rotate(b, 9), a, t1
            h, g, f, e = g, _rotate(f, 19), e, t2 ^ _rotate(t2, 9) ^ _rotate(t2, 17)
        state = [x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h))]  # noqa: B905
    return b"".join(x.to_bytes(4, "big") for x in state)


def _platform_sm3(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


def _choose_sm3() -> Any:
    try:
        if _platform_sm3(b"abc") == own_sm3(b"abc"):
            return _platform_sm3
    except ValueError:
        pass
    return own_sm3


sm3 = _choose_sm3()

# --- SM2 signatures (GB/T 32918.2, curve GB/T 32918.5) ----------------------------------------------------------------------------

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
IDENTIFIER = b"1234567812345678"
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")  # up to the uncompressed point
Point = tuple[int, int, int]  # Jacobian; z = 0 is the point at infinity


def _double(p: Point) -> Point:
    x, y, z = p
    if not z or not y:
        return (1, 1, 0)
    zz, yy = z * z % P, y * y % P
    s, m = 4 * x * yy % P, 3 * (x - zz) * (x + zz) % P
    x3 = (m * m - 2 * s) % P
    return (x3, (m * (s - x3) - 8 * yy * yy) % P, 2 * y * z % P)


def _add(p: Point, q: Point) -> Point:
    if not p[2]:
        return q
    if not q[2]:
        return p
    z1, z2 = p[2] * p[2] % P, q[2] * q[2] % P
    u1, u2 = p[0] * z2 % P, q[0] * z1 % P
    s1, s2 = p[1] * z2 * q[2] % P, q[1] * z1 * p[2] % P
    if u1 == u2:
        return _double(p) if s1 == s2 else (1, 1, 0)
    h, r = (u2 - u1) % P, (s2 - s1) % P
    hh = h * h % P
    hhh, v = h * hh % P, u1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return (x3, (r * (v - x3) - s1 * hhh) % P, p[2] * q[2] * h % P)


def _two_products(k: int, g: Point, m: int, q: Point) -> Point:
    """k * g + m * q, both at once."""
    table = (None, g, q, _add(g, q))
    found: Point = (1, 1, 0)
    for bit in range(max(k.bit_length(), m.bit_length()) - 1, -1, -1):
        found = _double(found)
        pick = table[(k >> bit & 1) | (m >> bit & 1) << 1]
        if pick is not None:
            found = _add(found, pick)
    return found


def read_key(pem: str) -> tuple[int, int, bytes]:
    """x, y and DER of a public key; ValueError if it is none of the SM2 curve."""
    der = base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-----")), validate=True)
    if len(der) != len(SPKI) + 65 or not der.startswith(SPKI) or der[len(SPKI)] != 4:
        raise ValueError("not an uncompressed SM2 public key")
    x, y = int.from_bytes(der[-64:-32], "big"), int.from_bytes(der[-32:], "big")
    if x >= P or y >= P or (y * y - x * x * x - A * x - B) % P:
        raise ValueError("the point is not on the curve")
    return x, y, der


def _integer(data: bytes) -> tuple[int, bytes]:
    if len(data) < 3 or data[0] != 2 or not 1 <= data[1] <= 33 or len(data) < 2 + data[1]:
        raise ValueError("no DER integer")
    body = data[2 : 2 + data[1]]
    if body[0] & 0x80 or (len(body) > 1 and body[0] == 0 and not body[1] & 0x80):
        raise ValueError("no minimal positive DER integer")
    return int.from_bytes(body, "big"), data[2 + data[1] :]


def signed(pem: str, message: bytes, signature: str) -> bool:
    """True where ``signature`` (base64 of DER) is one of the key over ``message``."""
    try:
        x, y, _der = read_key(pem)
        der = base64.b64decode(signature, validate=True)
        if len(der) < 2 or der[0] != 0x30 or der[1] != len(der) - 2:
            return False
        r, rest = _integer(der[2:])
        s, rest = _integer(rest)
    except ValueError:
        return False
    if rest or not 1 <= r < N or not 1 <= s < N or (r + s) % N == 0:
        return False
    numbers = b"".join(value.to_bytes(32, "big") for value in (A, B, GX, GY, x, y))
    z = sm3((len(IDENTIFIER) * 8).to_bytes(2, "big") + IDENTIFIER + numbers)
    e = int.from_bytes(sm3(z + message), "big")
    point = _two_products(s, (GX, GY, 1), (r + s) % N, (x, y, 1))
    if not point[2]:
        return False
    x1 = point[0] * pow(point[2] * point[2] % P, P - 2, P) % P
    return (e + x1) % N == r


# --- the tree (RFC 9162 section 2.1) ----------------------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    return bytes(sm3(b"\x00" + entry))


def node_hash(left: bytes, right: bytes) -> bytes:
    return bytes(sm3(b"\x01" + left + right))


class Frontier:
    """Size and the largest complete subtrees, from left to right."""

    def __init__(self, size: int, peaks: list[bytes]) -> None:
        if len(peaks) != bin(size).count("1"):
            raise ValueError("size and peaks do not fit")
        self.size, self.peaks = size, peaks

    def append(self, leaf: bytes) -> None:
        rest = self.size
        while rest & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            rest >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.peaks:
            return bytes(sm3(b""))
        found = self.peaks[-1]
        for peak in self.peaks[-2::-1]:
            found = node_hash(peak, found)
        return found


def included(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """RFC 9162 2.1.3.2."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def consistent(first: int, second: int, first_root: bytes, second_root: bytes, path: list[bytes]) -> bool:
    """RFC 9162 2.1.4.2."""
    if first == second:
        return not path and first_root == second_root
    if not 0 < first < second:
        return False
    steps = path if first & (first - 1) else [first_root] + path  # noqa: RUF005
    if not steps:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


# --- keys and heads ---------------------------------------------------------------------------------------------------------------


class Bad(Exception):
    """Something is not what was signed; ``entry`` is the first bad position (0: not of one entry)."""

    def __init__(self, entry: int, reason: str) -> None:
        super().__init__(reason)
        self.entry = entry


def _lines(*parts: Any) -> bytes:
    return "".join(f"{part}\n" for part in parts).encode()


def head_statement(head: dict[str, Any]) -> bytes:
    """What the signature of a head is over."""
    return _lines("liandun audit head v1", head["log"], head["size"], head["root"], head["time"], head["key_id"])


def key_statement(log: str, key: dict[str, Any]) -> bytes:
    """What the endorsement of a key is over."""
    return _lines("liandun audit key v1", log, key["number"], key["id"], key["from_size"], key["time"], key["endorsed_by"])


def check_keys(keys: list[dict[str, Any]], pinned: str) -> str:
    """The id of the trail (its first key); every key is endorsed by the one before it."""
    if not keys:
        raise Bad(0, "there is no key")
    log = str(keys[0]["id"])
    if pinned and pinned != log:
        raise Bad(0, f"the trail begins with key {log}, not with {pinned}")
    before = keys[0]
    for number, key in enumerate(keys, 1):
        try:
            genuine = sm3(read_key(key["public"])[2])[:16].hex() == key["id"] and key["number"] == number
        except ValueError:
            genuine = False
        ordered = key["endorsed_by"] == before["id"] and key["from_size"] >= before["from_size"]
        if not (genuine and ordered and signed(before["public"], key_statement(log, key), key["endorsement"])):
            raise Bad(key["from_size"] + 1, f"key {number} is not endorsed by the key before it")
        before = key
    return log


def check_head(head: dict[str, Any], keys: list[dict[str, Any]], log: str) -> None:
    """Signed by the key whose turn it was."""
    fitting = [key for key in keys if key["from_size"] < head["size"]]
    right = fitting and fitting[-1]["id"] == head["key_id"] and head["log"] == log
    if not right or not signed(fitting[-1]["public"], head_statement(head), head["signature"]):
        raise Bad(head["size"], f"the head of {head['size']} entries was not signed by the trail's key")


# --- the bundle -------------------------------------------------------------------------------------------------------------------


class Bundle:
    """The files of a bundle, from a folder or a zip."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path) if path.is_file() else None
        self._folder = path

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a file without their ends."""
        source: Any = self._zip.open(name) if self._zip else (self._folder / name).open("rb")
        with source:
            for line in io.BufferedReader(source) if self._zip else source:
                yield line.rstrip(b"\n")

    def json(self, name: str) -> Any:
        return json.loads(b"\n".join(self.lines(name)))

    def records(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines(name) if line]


def check_bundle(bundle: Bundle, pinned: str) -> dict[str, Any]:
    """Keys, heads, entries, proofs. Raises Bad."""
    start, keys = bundle.json("start.json"), bundle.records("keys.jsonl")
    log = check_keys(keys, pinned)
    heads = {head["size"]: head for head in bundle.records("heads.jsonl")}
    for number, size in enumerate(sorted(heads), 1):
        check_head(heads[size], keys, log)
        _progress("heads", number, len(heads))
    frontier = Frontier(start["size"], [bytes.fromhex(peak) for peak in start["peaks"]])
    _check_entries(bundle, frontier, heads)
    last = max(heads, default=0)
    if last != frontier.size:
        raise Bad(min(last, frontier.size) + 1, f"the bundle ends at entry {frontier.size}, its last head covers {last}")
    _check_proofs(bundle, heads, start["size"], last)
    found = {"log": log, "entries": last - start["size"], "first": start["size"] + 1, "last": last, "heads": len(heads)}
    return {**found, "time": heads[last]["time"] if heads else ""}


def _check_entries(bundle: Bundle, frontier: Frontier, heads: dict[int, dict[str, Any]]) -> None:
    fits = frontier.size
    if frontier.size in heads and frontier.root().hex() != heads[frontier.size]["root"]:
        raise Bad(frontier.size, f"start.json is not what was signed at {heads[frontier.size]['time']}")
    leaves, total = bundle.lines("leaves.txt"), max(heads, default=0)
    for line in bundle.lines("entries.jsonl"):
        number = frontier.size + 1
        try:
            told = json.loads(line)["id"]
        except (ValueError, KeyError, TypeError):
            raise Bad(number, f"the line of entry {number} is no entry") from None
        leaf = leaf_hash(line)
        if told != number:
            raise Bad(number, f"entry {number} is missing")
        if next(leaves, b"").decode("ascii", "replace") != leaf.hex():
            raise Bad(number, f"entry {number} was changed")
        frontier.append(leaf)
        head = heads.get(number)
        if head is not None:
            if frontier.root().hex() != head["root"]:
                raise Bad(fits + 1, f"entries {fits + 1} to {number} are not what was signed at {head['time']}")
            fits = number
        _progress("entries", number, total)


def _check_proofs(bundle: Bundle, heads: dict[int, dict[str, Any]], start: int, last: int) -> None:
    proofs = {proof["first"]: proof for proof in bundle.records("proofs.jsonl")}
    for size in sorted(size for size in heads if size <= start):
        path = [bytes.fromhex(step) for step in proofs.get(size, {}).get("path", [])]
        roots = [bytes.fromhex(heads[of]["root"]) for of in (size, last)]
        if not consistent(size, last, roots[0], roots[1], path):
            raise Bad(size, f"the trail does not continue the head of {size} entries")


def check_proof(proof: dict[str, Any], pinned: str) -> dict[str, Any]:
    """One entry, its path and a signed head. Raises Bad."""
    log = check_keys(proof["keys"], pinned)
    head, number = proof["head"], proof["entry_id"]
    check_head(head, proof["keys"], log)
    leaf = leaf_hash(proof["entry"].encode("utf-8", "surrogatepass"))
    path = [bytes.fromhex(step) for step in proof["path"]]
    if json.loads(proof["entry"])["id"] != number or not included(
        leaf, number - 1, head["size"], path, bytes.fromhex(head["root"])
    ):
        raise Bad(number, f"entry {number} is not what was signed at {head['time']}")
    return {"log": log, "entries": 1, "first": number, "last": number, "heads": 1, "time": head["time"]}


def _progress(what: str, done: int, total: int) -> None:
    if sys.stderr.isatty() and (done % 5000 == 0 or done == total):
        print(f"\r{what} {done} of {total}", end="\n" if done == total else "", file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Verify an exported audit trail of Liandun.")
    parser.add_argument("bundle", nargs="?", default=str(Path(__file__).resolve().parent), help="zip file or folder")
    parser.add_argument("--proof", help="verify this proof of one entry instead")
    parser.add_argument("--key", default="", help="id of the trail's first key, as noted elsewhere")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    asked = parser.parse_args(arguments)
    try:
        if asked.proof:
            found = check_proof(json.loads(Path(asked.proof).read_text("utf-8")), asked.key)
        else:
            found = check_bundle(Bundle(Path(asked.bundle)), asked.key)
    except Bad as bad:
        told = {"ok": False, "bad_id": bad.entry, "reason": str(bad)}
        print(json.dumps(told) if asked.json else f"BAD: entry {bad.entry}: {bad}")
        return 1
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        print(f"the bundle cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps({"ok": True, **found}))
    else:
        print(f"sound: entries {found['first']} to {found['last']}, {found['heads']} signed head(s), the last of {found['time']}")
        print(f"first key of the trail: {found['log']}  (compare it with what was noted elsewhere)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
