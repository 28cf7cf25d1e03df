"""The evidence package: verdicts with their history, evidence, OSCAL, a manifest with the SM3 of each file, signed with SM2.

    liandun compliance evidence v1
    system "\\u4f9b\\u6c34\\u8c03\\u5ea6"
    issued_at 2026-11-28T03:20:00.123456Z
    <sm3> <octets> "verdicts.json"

A ZIP archive; ``manifest.txt`` is signed by the platform's key for evidence (``manifest.sig``, DER, default identifier), whose
certificate (``signer.pem``) comes from the authority ``evidence``. ``verify`` needs that authority's certificate, or the signer's
public key, from somewhere else than the package, and nothing of the platform.
"""

from compliance.reports.package.build import Attachment, build
from compliance.reports.package.manifest import PackageError
from compliance.reports.package.verify import Verified, verify

__all__ = ["Attachment", "PackageError", "Verified", "build", "verify"]
