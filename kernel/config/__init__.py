"""Configuration: one TOML file plus environment, typed; every mistake is told with file, line and key.

Order of precedence: environment (``LIANDUN_<SECTION>_<KEY>``, e.g. ``LIANDUN_CONSOLE_PORT=8443``; ``LIANDUN_DATA`` is short for
``LIANDUN_PLATFORM_DATA_DIR``), then the file (``--config``, else ``LIANDUN_CONFIG``, else ``liandun.toml`` in the data
directory if there is one), then the defaults below. All mistakes of a file are collected before ConfigError is raised.
"""

from kernel.config.certificates import Certificates
from kernel.config.compliance import Compliance
from kernel.config.ingest import Interface, PacketFolder, Tail
from kernel.config.links import LinkListener, Links
from kernel.config.load import load_config
from kernel.config.model import Config
from kernel.config.platform import ROOT, Platform
from kernel.config.secret import Secret
from kernel.config.store import MINIMUM_RETENTION_DAYS, StoreElasticsearch

__all__ = [
    "MINIMUM_RETENTION_DAYS",
    "ROOT",
    "Certificates",
    "Compliance",
    "Config",
    "Interface",
    "LinkListener",
    "Links",
    "PacketFolder",
    "Platform",
    "Secret",
    "StoreElasticsearch",
    "Tail",
    "load_config",
]
