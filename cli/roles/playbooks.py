"""The playbooks role: carries runs out. Its work is the journal, so it may be killed at any moment and goes on where it was."""

from __future__ import annotations

import functools
import logging

from cli.capture_places import capture_places
from cli.kept_packets import KeptPackets
from cli.roles.health import tell_health
from cli.roles.jobs import Job
from cli.roles.process import stop_event
from cli.sigma_hunt import SigmaHunt
from cli.yara_scan import YaraScan
from kernel.config import Config
from kernel.db import Database, open_database, upgrade
from kernel.layout import Layout
from kernel.master_key import open_master_key
from kernel.store.open import open_store
from kernel.zones.snapshot import ZoneSource
from operations import clock
from playbooks.actions.danger import changes_a_system
from playbooks.actions.destination import Reach
from playbooks.actions.looking_kinds import looking
from playbooks.actions.own_kinds import own
from playbooks.actions.registry import standard
from playbooks.actions.settings import settings_of
from playbooks.actions.system_kinds import system
from playbooks.run import journal
from playbooks.run.announcing import QuestionAnnouncer
from playbooks.run.control_zones import ControlZones
from playbooks.run.executor import Executor, Settings
from playbooks.run.policy import ApprovalPolicy
from playbooks.shelf.installing import install_library
from playbooks.triggers.evaluate import fire_due
from playbooks.vault.service import secrets

log = logging.getLogger("liandun.playbooks")
_DAY = 86_400.0


def run(config: Config) -> int:
    stop = stop_event()
    layout, rules = Layout(config.data_dir), config.playbooks
    database = open_database(layout.state_url)
    upgrade(database)
    key = open_master_key(config)
    with database.write() as session:
        install_library(session)
    reach = Reach(tuple(rules.allowed_networks), tuple(rules.plain_hosts))
    hunt = SigmaHunt(functools.partial(open_store, config, writable=False))
    kinds = {
        **standard(reach),
        **own(database, key, KeptPackets(capture_places(config, layout)), settings_of(rules)),
        **system(settings_of(rules), database, reach),
        **looking(reach, hunt, database, scan=YaraScan(), key=key, settings=settings_of(rules)),
    }
    zones = ControlZones(database, ZoneSource(layout.zones))
    zones.look()
    executor = Executor(
        database,
        kinds,
        Settings(workers=rules.workers),
        secrets=secrets(database, key),
        gate=ApprovalPolicy(kinds, changes_a_system, zones, automatic=frozenset(rules.automatic), minutes=rules.approval_minutes),
        tell=QuestionAnnouncer(key, config.console.public_url),
    )
    jobs = [
        Job("triggers", 0.5, functools.partial(_fire, database, executor)),
        Job("control zones", 5.0, zones.look),
        Job("old runs", _DAY, functools.partial(_forget_old, database, rules.keep_days)),
    ]
    tell_health(
        layout,
        "playbooks",
        lambda: {"jobs": {job.name: job.problem for job in jobs}},
        lambda: "; ".join(job.problem for job in jobs if job.problem),
    )
    with executor:
        while not stop.wait(0.1) and executor.alive:
            for job in jobs:
                job.run_if_due()
        code = 0 if executor.alive else 1  # the supervisor starts the role anew
    hunt.close()
    database.close()
    return code


def _fire(database: Database, executor: Executor) -> None:
    if fire_due(database):
        executor.look()  # at once, not when it next looks by itself


def _forget_old(database: Database, days: int) -> None:
    before = clock.shift(clock.now(), -days * _DAY)
    while True:
        with database.write() as session:
            if journal.prune(session, before) == 0:
                return
