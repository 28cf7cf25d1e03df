"""SM2 certificates (GM/T 0015-2023, RFC 5280): read, issue, ask for, revoke, check a chain (docs/certificates.md).

    root = make_root(name(common_name="City root"), key)                   # Authority: certificate and key
    leaf = issue(root, name(common_name="collector 7"), public, SIGNING, days=365, alternatives=["192.0.2.7"])
    check_chain(leaf, [], [root.certificate], at=now, name="192.0.2.7")     # the path, or CertificateError saying where

Everything from outside is read as strict DER (``strict``); a critical extension that is not understood refuses the certificate.
"""

from crypto.certificates.certificate import Certificate, read_certificates
from crypto.certificates.chain import check_chain
from crypto.certificates.errors import CertificateError
from crypto.certificates.issue import Authority, issue, make_root
from crypto.certificates.names import name
from crypto.certificates.profiles import CLIENT, ENCRYPTION, ISSUING, SERVER, SIGNING, Profile
from crypto.certificates.request import Request, make_request
from crypto.certificates.revocation import RevocationList, make_revocation_list

__all__ = [
    "CLIENT",
    "ENCRYPTION",
    "ISSUING",
    "SERVER",
    "SIGNING",
    "Authority",
    "Certificate",
    "CertificateError",
    "Profile",
    "Request",
    "RevocationList",
    "check_chain",
    "issue",
    "make_request",
    "make_revocation_list",
    "make_root",
    "name",
    "read_certificates",
]
