"""Agreement of a key by two parties who know each other's SM2 public keys (GB/T 32918.3-2016 clause 6).

    mine = Exchange(private, peer_public, "initiator", ident, peer_ident)
    send(mine.message); agreed = mine.agree(receive(), size=16)
    send(agreed.confirmation); agreed.check(receive())      # then agreed.key

The initiator's identifier and key come first in every hash, whoever computes it. An exchange is used once.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Literal

from crypto.derive import sm2_kdf
from crypto.errors import CryptoError, DecryptionError
from crypto.sm2.curve import SIZE, N, coordinates, encode_coordinates
from crypto.sm2.digest import DEFAULT_IDENT, identity_digest
from crypto.sm2.engine import engine
from crypto.sm2.keys import PrivateKey, PublicKey
from crypto.sm2.pure import add, affine
from crypto.sm3 import sm3

Role = Literal["initiator", "responder"]
_LOW = (1 << 127) - 1  # 2^w - 1 with w = 127 (clause 6.1)
_RESPONDER, _INITIATOR = b"\x02", b"\x03"


@dataclass(frozen=True)
class Agreement:
    """key: the common key; confirmation: what to send to the peer, who then knows that we have the same key."""

    key: bytes = field(repr=False)
    confirmation: bytes
    _expected: bytes = field(repr=False)

    def check(self, confirmation: bytes) -> None:
        """Raises DecryptionError where the peer's confirmation is not right: do not use the key then."""
        if not hmac.compare_digest(confirmation, self._expected):
            raise DecryptionError("the peer of the key exchange has another key, or is another one")


class Exchange:
    """One side of one exchange. ``ephemeral`` is given by known-answer tests only."""

    def __init__(
        self,
        private: PrivateKey,
        peer: PublicKey,
        role: Role,
        ident: bytes = DEFAULT_IDENT,
        peer_ident: bytes = DEFAULT_IDENT,
        ephemeral: PrivateKey | None = None,
    ) -> None:
        self._private, self._peer, self._role = private, peer, role
        own_z, peer_z = identity_digest(private.public.to_bytes(), ident), identity_digest(peer.to_bytes(), peer_ident)
        self._identities = own_z + peer_z if role == "initiator" else peer_z + own_z
        self._ephemeral: PrivateKey | None = ephemeral or PrivateKey.generate()
        self.message = self._ephemeral.public.to_bytes()

    def agree(self, peer_message: bytes, size: int) -> Agreement:
        """``size`` bytes of common key from the peer's ``message``. Raises InvalidKeyError for what is not a point."""
        if self._ephemeral is None:
            raise CryptoError("a key exchange is used once")
        theirs = PublicKey.from_bytes(peer_message).to_bytes()
        shared = shared_point(self._private, self._ephemeral, self._peer.to_bytes(), theirs)
        self._ephemeral = None
        messages = (self.message, theirs) if self._role == "initiator" else (theirs, self.message)
        inner = sm3(shared[1 : 1 + SIZE] + self._identities + messages[0][1:] + messages[1][1:])
        by_responder, by_initiator = (sm3(who + shared[1 + SIZE :] + inner) for who in (_RESPONDER, _INITIATOR))
        key = sm2_kdf(shared[1:] + self._identities, size)
        if self._role == "initiator":
            return Agreement(key, by_initiator, by_responder)
        return Agreement(key, by_responder, by_initiator)


def shared_point(private: PrivateKey, ephemeral: PrivateKey, peer: bytes, peer_message: bytes) -> bytes:
    """U = V: [t](P + [x2]R) (A6 and A7); the cofactor is one. Raises CryptoError at infinity."""
    own_x, peer_x = (coordinates(point)[0] & _LOW | _LOW + 1 for point in (ephemeral.public.to_bytes(), peer_message))
    t = (int.from_bytes(private.to_bytes()) + own_x * int.from_bytes(ephemeral.to_bytes())) % N
    if t == 0:
        raise CryptoError("the key exchange ends at infinity; begin again")
    scaled = engine().multiply(peer_x.to_bytes(SIZE), peer_message)
    total = affine(add((*coordinates(peer), 1), (*coordinates(scaled), 1)))
    return engine().multiply(t.to_bytes(SIZE), encode_coordinates(*total))
