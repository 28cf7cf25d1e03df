"""Where everything lies below the data directory. One place, so that every role and command agrees."""

from __future__ import annotations

from pathlib import Path

from crypto.errors import SecretError
from crypto.private_file import read_private
from kernel.errors import StoreError


class Layout:
    """Paths of one data directory; :meth:`create` makes the folders. Only their owner can read what is inside."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spool = root / "spool"
        self.lake = root / "lake"
        self.state_file = root / "state.db"
        self.state_url_file = root / "state.url"
        self.master_key = root / "secret" / "master.key"
        self.audit_heads = root / "audit" / "heads.jsonl"
        self.rules = root / "rules"
        self.rule_cache = root / "cache"
        self.checkpoints = root / "checkpoints"
        self.suricata = root / "suricata"
        self.health = root / "run" / "health"
        self.ingest_socket = root / "run" / "ingest.sock"
        self.spool_socket = root / "run" / "spool.sock"
        self.links = root / "run" / "links"
        self.revocations = root / "run" / "revoked.msgpack"
        self.catalogue = root / "run" / "rules.json"
        self.zones = root / "run" / "zones.msgpack"
        self.indicators = root / "run" / "indicators.db"
        self.rule_tuning = root / "run" / "rule-tuning.msgpack"
        self.logs = root / "log"
        self.demo_json = root / "demo" / "windows.jsonl"
        self.demo_packets = root / "demo" / "pcap"
        self.demo_truth = root / "demo" / "truth.jsonl"

    @property
    def state_url(self) -> str:
        """SQLAlchemy URL of the state database: what the file ``state.url`` says (PostgreSQL), else the embedded one.

        A file, because the URL holds a password. Raises StoreError where others may read it.
        """
        try:
            return read_private(self.state_url_file).decode("utf-8").strip()
        except FileNotFoundError:
            return f"sqlite:///{self.state_file.absolute()}"
        except (SecretError, UnicodeDecodeError) as error:
            raise StoreError(f"{self.state_url_file}: {error}") from error

    @property
    def has_state(self) -> bool:
        """True where a platform has been started: its state database is there, or another server keeps it."""
        return self.state_file.exists() or self.state_url_file.exists()

    def create(self) -> Layout:
        """Make the folders. Raises StoreError where that is not possible."""
        try:
            self._make_folders()
        except OSError as error:
            raise StoreError(
                f"the data directory {self.root} cannot be used: {error.strerror}: {error.filename}", "choose another with --data"
            ) from error
        return self

    def _make_folders(self) -> None:
        self.root.mkdir(mode=0o711, parents=True, exist_ok=True)  # may be passed through (Suricata runs as nobody), not listed
        self.suricata.mkdir(mode=0o711, parents=True, exist_ok=True)
        for folder in (
            self.health.parent,
            self.lake,
            self.spool,
            self.master_key.parent,
            self.audit_heads.parent,
            self.demo_json.parent,
            self.rules,
            self.rule_cache,
            self.checkpoints,
            self.health,
            self.logs,
        ):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
