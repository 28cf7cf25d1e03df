"""Certificates for the tests, made by the openssl command line: an implementation that is not ours."""

from __future__ import annotations

import subprocess
from pathlib import Path

from crypto.channel.link import Credentials

_IDENT = "distid:1234567812345678"


class Authority:
    """A root and its leaves in one folder. ``kind``: sm2, or p256 for classic links."""

    def __init__(self, folder: Path, kind: str = "sm2") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.kind = folder, kind
        self.certificate = folder / "ca.crt"
        (folder / "index.txt").write_text("")
        (folder / "crlnumber").write_text("01\n")
        (folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index.txt\ncrlnumber={folder}/crlnumber\n"
            f"default_md={self._digest}\ndefault_crl_days=30\n[req]\ndistinguished_name=n\n[n]\n"
        )
        self._key(folder / "ca.key")
        self._run(
            "req", "-x509", "-new", "-config", f"{folder}/ca.cnf", f"-{self._digest}", *self._sign, "-key", f"{folder}/ca.key",
            "-subj", "/C=CN/O=Test/CN=Root", "-days", "30", "-out", str(self.certificate),
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip

    @property
    def _digest(self) -> str:
        return "sm3" if self.kind == "sm2" else "sha256"

    @property
    def _sign(self) -> list[str]:
        return ["-sigopt", _IDENT] if self.kind == "sm2" else []

    def _run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.folder, timeout=60)

    def _key(self, path: Path) -> None:
        curve = "SM2" if self.kind == "sm2" else "P-256"
        self._run("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", str(path))

    def leaf(
        self, name: str, *, alt: str = "DNS:localhost,IP:127.0.0.1,IP:::1", usage: str = "digitalSignature", tag: str = ""
    ) -> Credentials:
        """Key and certificate of ``name``, in files called ``<name><tag>``."""
        stem = f"{self.folder}/{name}{tag}"
        self._key(Path(f"{stem}.key"))
        self._run(
            "req", "-new", "-config", f"{self.folder}/ca.cnf", f"-{self._digest}", *self._sign, "-key", f"{stem}.key",
            "-subj", f"/C=CN/O=Test/CN={name}", "-out", f"{stem}.csr",
        )  # fmt: skip
        (self.folder / "leaf.ext").write_text(f"keyUsage=critical,{usage}\nsubjectAltName={alt}\n")
        verify = ["-vfyopt", _IDENT] if self.kind == "sm2" else []
        self._run(
            "x509", "-req", f"-{self._digest}", *self._sign, *verify, "-in", f"{stem}.csr", "-CA", str(self.certificate),
            "-CAkey", f"{self.folder}/ca.key", "-CAcreateserial", "-days", "20", "-extfile", f"{self.folder}/leaf.ext",
            "-out", f"{stem}.crt",
        )  # fmt: skip
        return Credentials(Path(f"{stem}.crt"), Path(f"{stem}.key"), self.certificate)

    def revoke(self, *leaves: Credentials) -> Path:
        """A revocation list with these leaves in it."""
        common = ["-config", f"{self.folder}/ca.cnf", "-keyfile", f"{self.folder}/ca.key", "-cert", str(self.certificate)]
        for leaf in leaves:
            self._run("ca", *common, "-revoke", str(leaf.certificate))
        self._run("ca", *common, "-gencrl", *self._sign, "-out", f"{self.folder}/ca.crl")
        return self.folder / "ca.crl"
