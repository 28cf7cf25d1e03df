"""ZUC-128 (GB/T 33133.1-2016) with 128-EEA3 (confidentiality, GB/T 33133.2) and 128-EIA3 (integrity, GB/T 33133.3)."""

from __future__ import annotations

from collections.abc import Iterator

_M31, _M32 = (1 << 31) - 1, (1 << 32) - 1

_S0 = bytes.fromhex(
    "3e725b47cae0003304d1549809b96dcb7b1bf932af9d6aa5b82dfc1d08530390"
    "4d4e8499e4ced991ddb685488b296eaccdc1f81e734369c6b5bdfd396320d438"
    "767db2a7cfed57c5f32cbb142106559be3ef5e314f7f5aa40d8251495fba581c"
    "4a16d517a892241f8cffd8ae2e01d3ad3b4bda46ebc9de9a8f87d73a806f2fc8"
    "b1b437f70a2213287ccc3c89c7c3965607bf7ef00b2b975235417961a64c10fe"
    "bc2695888ab0a3fbc01894f2e1e5e95dd0dc1166645cec59427512f5749caa23"
    "0e86abbe2a02e767e644a26cc2939ff1f6fa36d250689e6271153dd640c4e20f"
    "8e83776b25053f0c30ea70b7a1e8a9658d271adb81b3a0f4457a19dfee783460"
)
_S1 = bytes.fromhex(
    "55c263713bc847869f3cda5b29aafd778cc5940ca61a1300e3a8167240f9f842"
    "4426689681d9453e1076c6a78b3943e13ab5562ac06db3052266bfdc0bfa6248"
    "dd20110636c9c1cff62752bb69f5d4877f844cd29c57a4bc4f9adffed68d7aeb"
    "2b53d85ca11417fb23d57d3067730809eeb7703f61b2198e4ee54b938f5ddba9"
    "adf1ae2ecb0dfcf42d466e1d97e8d1e94d37a5755e839eab829db91ce0cd4989"
    "01b6bd5824a25f387899159050b895e4d091c7ceed0fb46fa0ccf0024a79c3de"
    "a3efea51e66b18ec1b2c80f774e7ff215a6a541e41319235c433070aba7e0e34"
    "88b1987cf33d606c7bcad31f3265042864be859b2f598ad7b025acaf1203e2f2"
)
_D = (
    0x44D7, 0x26BC, 0x626B, 0x135E, 0x5789, 0x35E2, 0x7135, 0x09AF,
    0x4D78, 0x2F13, 0x6BC4, 0x1AF1, 0x5E26, 0x3C4D, 0x789A, 0x47AC,
)  # fmt: skip


def key_stream(key: bytes, iv: bytes) -> Iterator[int]:
    """Words of 32 bits without end; key and iv have 16 bytes."""
    lfsr = [k << 23 | d << 8 | i for k, d, i in zip(key, _D, iv, strict=True)]
    r1 = r2 = 0
    for _ in range(32):
        word, r1, r2 = _nonlinear(lfsr, r1, r2)
        _step(lfsr, word >> 1)
    _, r1, r2 = _nonlinear(lfsr, r1, r2)
    _step(lfsr, 0)
    while True:
        word, r1, r2 = _nonlinear(lfsr, r1, r2)
        yield word ^ ((lfsr[2] & 0xFFFF) << 16 | lfsr[0] >> 15)
        _step(lfsr, 0)


def eea3(key: bytes, count: int, bearer: int, direction: int, octets: bytes) -> bytes:
    """Encrypt or decrypt whole bytes (clause 5)."""
    head = count.to_bytes(4) + bytes((bearer << 3 | direction << 2, 0, 0, 0))
    words = key_stream(key, head + head)
    stream = b"".join(next(words).to_bytes(4) for _ in range(-(-len(octets) // 4)))
    return bytes(a ^ b for a, b in zip(octets, stream, strict=False))


def eia3(key: bytes, count: int, bearer: int, direction: int, message: bytes, bits: int) -> bytes:
    """The 4-byte code of the first ``bits`` bits of ``message`` (clause 5)."""
    iv = bytearray(count.to_bytes(4) + bytes((bearer << 3, 0, 0, 0))) * 2
    iv[8] ^= direction << 7
    iv[14] ^= direction << 7
    words = key_stream(key, bytes(iv))
    length = -(-bits // 32) + 2
    stream = int.from_bytes(b"".join(next(words).to_bytes(4) for _ in range(length)))

    def word(position: int) -> int:
        """32 bits of key stream from this bit on."""
        return stream >> 32 * length - 32 - position & _M32

    code = word(bits) ^ word(32 * (length - 1))
    for position in range(bits):
        if message[position // 8] >> 7 - position % 8 & 1:
            code ^= word(position)
    return code.to_bytes(4)


def _nonlinear(lfsr: list[int], r1: int, r2: int) -> tuple[int, int, int]:
    """F (clause 6.4) over the reorganised bits: its output and the next R1 and R2."""
    x0 = (lfsr[15] & 0x7FFF8000) << 1 | lfsr[14] & 0xFFFF
    x1 = (lfsr[11] & 0xFFFF) << 16 | lfsr[9] >> 15
    x2 = (lfsr[7] & 0xFFFF) << 16 | lfsr[5] >> 15
    output = (x0 ^ r1) + r2 & _M32
    w1, w2 = r1 + x1 & _M32, r2 ^ x2
    u = (w1 << 16 | w2 >> 16) & _M32
    v = (w2 << 16 | w1 >> 16) & _M32
    linear1 = u ^ _rotate(u, 2) ^ _rotate(u, 10) ^ _rotate(u, 18) ^ _rotate(u, 24)
    linear2 = v ^ _rotate(v, 8) ^ _rotate(v, 14) ^ _rotate(v, 22) ^ _rotate(v, 30)
    return output, _substitute(linear1), _substitute(linear2)


def _step(lfsr: list[int], feedback: int) -> None:
    """One step of the shift register over GF(2^31 - 1) (clause 6.2); zero is written as 2^31 - 1."""
    total = (lfsr[0] * 257 + (lfsr[4] << 20) + (lfsr[10] << 21) + (lfsr[13] << 17) + (lfsr[15] << 15) + feedback) % _M31
    lfsr.append(total or _M31)
    del lfsr[0]


def _substitute(word: int) -> int:
    a, b, c, d = word.to_bytes(4)
    return int.from_bytes(bytes((_S0[a], _S1[b], _S0[c], _S1[d])))


def _rotate(word: int, by: int) -> int:
    return (word << by | word >> 32 - by) & _M32
