"""The console role: the Flask application under gunicorn, threads for pages, one process."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication

from cli.console_services import build_services
from cli.roles.handing_over import HandingOver
from cli.roles.health import tell_health
from kernel.config import Config
from kernel.layout import Layout
from soc_ui.app import create_app


class _Server(BaseApplication):
    """gunicorn without its own command line."""

    def __init__(self, settings: dict[str, Any], make_app: Callable[[], Any]) -> None:
        self._settings = settings
        self._make_app = make_app
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Called in the worker process: databases must not be opened before the fork."""
        made = self._make_app()
        # What the application is made of (370,000 objects) stays: a full collection would look at all of it in the midst of a page,
        # which then takes 0.2 s longer.
        gc.collect()
        gc.freeze()
        return made


def run(config: Config) -> int:
    layout = Layout(config.data_dir)
    inherited = os.environ.pop("LIANDUN_CONSOLE_FD", "")
    host = f"[{config.console.host}]" if ":" in config.console.host else config.console.host
    settings = {
        "bind": f"fd://{inherited}" if inherited else f"{host}:{config.console.port}",
        "worker_class": "cli.roles.handing_over.Worker",
        "workers": 1,
        "threads": config.console.threads,
        "timeout": 120,
        "graceful_timeout": 5,
        "loglevel": "warning",
        "control_socket_disable": True,
        "limit_request_line": 8190,
        "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108 — gunicorn's heartbeat file
        "proc_name": "liandun-console",
    }
    started = time.time()
    tell_health(layout, "console", lambda: {"uptime_seconds": round(time.time() - started)})
    _Server(settings, lambda: HandingOver(create_app(build_services(config)))).run()
    return 0
