"""SM4 block cipher (GB/T 32907-2016) in its modes, for formats that ask for them. To protect something of ours use ``crypto.seal``.

GCM and CCM (GB/T 36624-2018, RFC 8998) notice every change and carry their tag at the end; the other modes notice none.
"""

from crypto.sm4.ccm import decrypt_ccm, encrypt_ccm
from crypto.sm4.gcm import decrypt_gcm, encrypt_gcm
from crypto.sm4.modes import (
    BLOCK_SIZE,
    KEY_SIZE,
    crypt_ctr,
    crypt_ofb,
    decrypt_cbc,
    decrypt_cfb,
    decrypt_ecb,
    encrypt_cbc,
    encrypt_cfb,
    encrypt_ecb,
)

__all__ = [
    "BLOCK_SIZE",
    "KEY_SIZE",
    "crypt_ctr",
    "crypt_ofb",
    "decrypt_cbc",
    "decrypt_ccm",
    "decrypt_cfb",
    "decrypt_ecb",
    "decrypt_gcm",
    "encrypt_cbc",
    "encrypt_ccm",
    "encrypt_cfb",
    "encrypt_ecb",
    "encrypt_gcm",
]
