"""The scheduler role: what happens by the clock — webhooks that are due, clocks of incidents, warnings that draft themselves or
wait too long for an answer, daily probes, findings that follow their verdicts, reviews of documents, grants of services that end,
metering, reports, heads of the audit trail, certificates that end, revocations, stale sessions, unused accounts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing

from sqlalchemy.orm import Session

from cli.console_services import account_policy
from cli.demo_incidents import DemoIncidents
from cli.roles.daily_probes import DailyProbes
from cli.roles.expiry_watch import ExpiryWatch
from cli.roles.health import tell_health
from cli.roles.jobs import Job, SlowJob
from cli.roles.process import stop_event
from compliance.documents.reminding import remind as remind_reviews
from compliance.remediation.following import follow_all
from kernel.config import Config
from kernel.db import open_database, upgrade
from kernel.layout import Layout
from kernel.master_key import open_master_key
from kernel.store.open import open_store
from operations.accounts import lockout, proposals, sessions
from operations.accounts import service as accounts
from operations.advisories.matching import AdvisoryMatcher
from operations.alerts import service as alerts
from operations.alerts.rule_days import remove_old as remove_old_days
from operations.audit.copies import send_copies
from operations.audit.head_file import HeadFile
from operations.audit.heads import Trail
from operations.audit.keys import KeyStore
from operations.audit.schema import SYSTEM
from operations.certificates.publish import RevocationPublisher
from operations.inbound.receiving import forget
from operations.incidents.reminding import remind
from operations.indicators.publish import IndicatorPublisher
from operations.reports.listing import remove_old
from operations.reports.making import Means
from operations.reports.schedule import run_due
from operations.risk.keeping import RiskKeeper
from operations.searches import running as searches
from operations.services import service as catalogue
from operations.services.metering import meter
from operations.tuning.measures import expire_due
from operations.tuning.publish import TuningPublisher
from operations.warnings.from_advisory import draft_from_kev
from operations.warnings.overdue import remind_overdue
from operations.warnings.patterns import draft_from_patterns
from operations.webhooks.guard import WebhookPolicy
from operations.webhooks.sender import deliver_due
from operations.zones.publish import PlanPublisher

log = logging.getLogger("liandun.scheduler")


def _last_head(trail: Trail, send_heads: Callable[[], None]) -> None:
    """What was done since the last interval is signed before the platform is down."""
    try:
        trail.sign()
        send_heads()
    except Exception:  # ending must not hang on it; the next start signs, or says what is wrong
        log.exception("the last head of the audit trail could not be signed or sent")


def run(config: Config) -> int:
    stop = stop_event()
    layout = Layout(config.data_dir)
    database = open_database(layout.state_url)
    upgrade(database)
    key = open_master_key(config)
    policy = WebhookPolicy(allow=tuple(config.webhooks.allowed_networks))

    trail = Trail(database, HeadFile(layout.audit_heads), KeyStore(layout.master_key.parent, key))
    rules = account_policy(config)

    def writing(act: Callable[[Session], object]) -> Callable[[], None]:
        def job() -> None:
            with database.write() as session:
                act(session)

        return job

    def tidy_accounts(session: Session) -> None:
        sessions.remove_stale(session, policy=rules)
        lockout.remove_stale(session, rules)
        proposals.lapse(session, policy=rules)
        accounts.disable_unused(session, policy=rules)

    def send_heads() -> None:
        send_copies(database, config.audit.syslog, config.audit.webhook)

    expiries = ExpiryWatch(database, config)
    probes = DailyProbes(database, config, key, stop)

    def meter_services() -> None:
        with closing(open_store(config, writable=False)) as store:
            meter(database, store)

    def make_reports() -> None:
        with closing(open_store(config, writable=False)) as store:
            run_due(database, Means(store, key, config.platform.city or "莲盾 Liandun"))

    def run_searches() -> None:
        if not searches.is_due(database):
            return
        with closing(open_store(config, writable=False)) as store:
            searches.run_due(database, store)

    jobs = [
        Job("zone plan", 1.0, PlanPublisher(database, layout.zones)),
        Job("indicators", 2.0, IndicatorPublisher(database, layout.indicators)),
        Job("rule tuning", 1.0, TuningPublisher(database, layout.rule_tuning)),
        Job("rule exceptions", 60.0, writing(expire_due)),
        Job("revocations", 1.0, RevocationPublisher(database, layout.revocations)),
        Job("certificates", float(config.certificates.check_seconds), expiries),
        Job("webhooks", 1.0, lambda: deliver_due(database, key, policy)),
        Job("incident clocks", 5.0, lambda: remind(database)),
        Job("audit heads", float(config.audit.head_seconds), trail.sign),
        Job("audit copies", 15.0, send_heads),
        Job("accounts", 600.0, writing(tidy_accounts)),
        SlowJob("alert bulks", 2.0, lambda: alerts.resume(database)),
        Job("alert drafts", 300.0, writing(alerts.remove_drafts)),
        Job("inbound webhooks", 600.0, writing(forget)),
        Job("warning reminders", 5.0, lambda: remind_overdue(database)),
        Job("warning drafts", 60.0, lambda: draft_from_patterns(database)),
        SlowJob("advisories", 10.0, AdvisoryMatcher(database)),
        Job("advisory warnings", 60.0, lambda: draft_from_kev(database)),
        SlowJob("findings", 60.0, lambda: follow_all(database)),
        SlowJob("probes", 60.0, probes),
        Job("document reviews", 300.0, lambda: remind_reviews(database)),
        Job("services", 30.0, writing(catalogue.expire_due)),
        SlowJob("risk", 10.0, RiskKeeper(database)),
        SlowJob("metering", 3600.0, meter_services),
        SlowJob("reports", 60.0, make_reports),
        SlowJob("searches", 5.0, run_searches),
        Job("old reports", 86_400.0, writing(lambda session: remove_old(session, SYSTEM))),
        Job("old rule figures", 86_400.0, writing(remove_old_days)),
        Job("planner statistics", 3600.0, database.optimize),
    ]
    if config.platform.demo:
        jobs.append(Job("demo incidents", 5.0, DemoIncidents(database)))
    tell_health(
        layout,
        "scheduler",
        lambda: {"jobs": {job.name: job.problem for job in jobs}, **expiries.details()},
        lambda: "; ".join(problem for problem in (*(job.problem for job in jobs), probes.problem) if problem),
    )
    while not stop.wait(0.25):
        for job in jobs:
            job.run_if_due()
    _last_head(trail, send_heads)
    database.close()
    return 0
