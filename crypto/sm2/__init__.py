"""SM2 elliptic curve cryptography (GB/T 32918-2016/2017): ``PrivateKey``, ``PublicKey``, ``DEFAULT_IDENT``."""

from crypto.sm2.digest import DEFAULT_IDENT
from crypto.sm2.keys import PrivateKey, PublicKey

__all__ = ["DEFAULT_IDENT", "PrivateKey", "PublicKey"]
