"""Domestic (GM) cryptography: SM2, SM3, SM4 on native code with known-answer tests before first use (docs/crypto.md).

The safe calls, shortest first::

    from crypto.sm3 import sm3, Mac                    # digest; HMAC-SM3
    from crypto.sm2 import PrivateKey, PublicKey       # sign, verify, encrypt, decrypt
    from crypto.seal import seal, open_sealed          # SM4-GCM: what is changed or moved does not open
    from crypto.stream import seal_stream, open_stream # the same for files of any size
    from crypto.derive import pbkdf2_sm3, hkdf_sm3

``crypto.sm4`` holds the bare block modes, for other systems' formats. This room imports nothing of ours.
"""
