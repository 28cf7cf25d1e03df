"""Signed and encrypted messages after GB/T 35275-2017 (GM/T 0010): PKCS#7 with SM2, SM3, SM4 (docs/evidence.md).

    message = sign_data(b"report", [Signer(certificate, key)])              # DER; detached=True leaves the content out
    read_signed(message).verify()                                            # Verified: content, signers
    sealed = envelop(b"report", [certificate])                              # only the holders of the keys open it
    open_envelope(sealed, certificate, key)
    open_encrypted(encrypt_data(b"report", key), key)                        # a key of 16 bytes that both sides have
    open_signed_envelope(sign_and_envelop(b"report", [signer], [certificate]), certificate, key)

DER is written; DER, and BER where the standard allows it (``ber=False``: refused), is read.

A good signature says which certificate signed; whether that is to be trusted is ``crypto.certificates.check_chain``'s to say.
The whole message is in memory: files of any size are sealed by ``crypto.stream``, whose small manifest is then signed.
"""

from crypto.envelope.encrypted import encrypt_data, open_encrypted
from crypto.envelope.enveloped import envelop, open_envelope
from crypto.envelope.signed import SignedMessage, Signer, Verified, read_signed, sign_data
from crypto.envelope.signed_enveloped import open_signed_envelope, sign_and_envelop

__all__ = [
    "SignedMessage",
    "Signer",
    "Verified",
    "encrypt_data",
    "envelop",
    "open_encrypted",
    "open_envelope",
    "open_signed_envelope",
    "read_signed",
    "sign_and_envelop",
    "sign_data",
]
