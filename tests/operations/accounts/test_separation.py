"""The three powers keep each other in check: what a hostile administrator tries, and that it does not work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import pytest

from kernel.db import Database
from operations.accounts import keys, links, login, proposals, service, sessions
from operations.accounts.permissions import ALL, BUSINESS, PERMISSIONS, POWERS, ROLES, for_keys
from operations.accounts.schema import Policy, Principal, Reach
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.zones.models import ZoneRow
from tests.operations.accounts.conftest import HOME, PASSWORD, Clock, People

EVENTS = {"alerts.read", "alerts.write", "events.read", "events.export", "quarantine.read"}
ADMINISTRATION = {name for name in ALL if name.startswith(("accounts.", "webhooks.")) or name == "zones.write"}


def give(database: Database, proposer: Principal, confirmer: Principal, user_id: int, role: str, **more: object) -> None:
    with database.write() as session:
        made = proposals.propose_role(session, proposer, user_id, role, **more)  # type: ignore[arg-type]
    with database.write() as session:
        proposals.confirm(session, confirmer, made.id)


def role_of(database: Database, user_id: int) -> str:
    with database.read() as session:
        return service.get_user(session, user_id).role


def test_the_powers_share_nothing_that_matters() -> None:
    for one, two in combinations(POWERS, 2):
        shared = PERMISSIONS[one] & PERMISSIONS[two]
        assert shared <= {"accounts.read", "accounts.confirm", "keys.own"}, (one, two)
    for role in POWERS:
        assert not PERMISSIONS[role] & EVENTS, role
    for role in BUSINESS:
        assert not PERMISSIONS[role] & ADMINISTRATION, role
    assert not {name for role in ROLES if role != "auditadmin" for name in PERMISSIONS[role]} & {"audit.verify", "audit.retain"}


def test_who_makes_accounts_cannot_give_roles_and_the_other_way_round(database: Database, alice: Principal, person: People) -> None:
    sec, nobody = person("sec", "secadmin"), person("nobody")
    with pytest.raises(Denied), database.write() as session:
        proposals.propose_role(session, alice, nobody.user_id, "analyst")
    with pytest.raises(Denied), database.write() as session:
        proposals.propose_reset(session, sec, nobody.user_id, "password")
    assert not sec.may("accounts.manage")
    assert not alice.may("accounts.grant")


@pytest.mark.parametrize("role", ["auditadmin", "analyst", "leader", "auditor"])
def test_no_other_role_proposes_or_confirms(database: Database, person: People, role: str) -> None:
    sec, who, nobody = person("sec", "secadmin"), person("who", role), person("nobody")
    with pytest.raises(Denied), database.write() as session:
        proposals.propose_role(session, who, nobody.user_id, "analyst")
    with database.write() as session:
        made = proposals.propose_role(session, sec, nobody.user_id, "analyst")
    with pytest.raises(Denied), database.write() as session:
        proposals.confirm(session, who, made.id)
    assert role_of(database, nobody.user_id) == ""


def test_nobody_grants_themselves_anything(database: Database, person: People) -> None:
    sec, second = person("sec", "secadmin"), person("second", "secadmin")
    with pytest.raises(Denied), database.write() as session:
        proposals.propose_role(session, sec, sec.user_id, "analyst")
    with database.write() as session:
        about_second = proposals.propose_role(session, sec, second.user_id, "")
    with pytest.raises(Denied), database.write() as session:
        proposals.confirm(session, second, about_second.id)
    with pytest.raises(Denied), database.write() as session:
        proposals.refuse(session, second, about_second.id)  # nor does one keep one's role by refusing
    assert role_of(database, second.user_id) == "secadmin"


def test_a_second_person_has_to_confirm(database: Database, alice: Principal, person: People) -> None:
    sec, nobody = person("sec", "secadmin"), person("nobody")
    with database.write() as session:
        made = proposals.propose_role(session, sec, nobody.user_id, "analyst")
    with pytest.raises(Denied, match="second person"), database.write() as session:
        proposals.confirm(session, sec, made.id)
    assert role_of(database, nobody.user_id) == ""
    with database.write() as session:
        assert proposals.confirm(session, alice, made.id).state == "confirmed"
    assert role_of(database, nobody.user_id) == "analyst"
    with database.read() as session:
        entry = audit.listing(session, action="account.confirm", limit=1).entries[0]
    assert (entry.actor, entry.object_id, entry.detail["proposed_by"]) == ("alice", "nobody", "sec")


def test_who_lost_the_power_to_propose_proposes_nothing_any_more(database: Database, alice: Principal, person: People) -> None:
    sec, second, nobody = person("sec", "secadmin"), person("second", "secadmin"), person("nobody")
    with database.write() as session:
        made = proposals.propose_role(session, sec, nobody.user_id, "analyst")
        service.set_active(session, alice, sec.user_id, False)
    with pytest.raises(Conflict, match="not do so any more"), database.write() as session:
        proposals.confirm(session, second, made.id)


def test_an_account_that_changed_meanwhile_is_decided_on_anew(database: Database, alice: Principal, person: People) -> None:
    sec, nobody = person("sec", "secadmin"), person("nobody")
    with database.write() as session:
        made = proposals.propose_role(session, sec, nobody.user_id, "analyst")
        service.set_active(session, alice, nobody.user_id, False)
        service.set_active(session, alice, nobody.user_id, True)
    with pytest.raises(Conflict, match="changed since"), database.write() as session:
        proposals.confirm(session, alice, made.id)


def test_an_administrator_of_one_power_never_becomes_one_of_another(database: Database, alice: Principal, person: People) -> None:
    sec, other = person("sec", "secadmin"), person("twin", "sysadmin")
    for role in ("secadmin", "auditadmin"):
        with pytest.raises(Conflict), database.write() as session:
            proposals.propose_role(session, sec, other.user_id, role)
    give(database, sec, alice, other.user_id, "analyst")
    assert role_of(database, other.user_id) == "analyst"


def test_the_last_account_of_each_power_stays(database: Database, alice: Principal, person: People) -> None:
    sec, aud, other = person("sec", "secadmin"), person("aud", "auditadmin"), person("twin", "sysadmin")
    for last in (sec, aud):
        for act in (service.set_active, service.remove):
            with pytest.raises(Conflict, match="last active"), database.write() as session:
                act(session, alice, last.user_id, *([False] if act is service.set_active else []))
    with pytest.raises(Conflict, match="last active"), database.write() as session:
        proposals.propose_role(session, sec, aud.user_id, "")
    with database.write() as session:
        service.set_active(session, alice, other.user_id, False)
    with pytest.raises(Conflict, match="last active"), database.write() as session:
        proposals.propose_role(session, sec, alice.user_id, "")


def test_two_proposals_cannot_take_the_last_two_away(database: Database, alice: Principal, person: People) -> None:
    """Each would be allowed alone; the rule is looked at again when it takes effect."""
    sec, one, two = person("sec", "secadmin"), person("one", "auditadmin"), person("two", "auditadmin")
    with database.write() as session:
        first = proposals.propose_role(session, sec, one.user_id, "")
        second = proposals.propose_role(session, sec, two.user_id, "")
        proposals.confirm(session, alice, first.id)
    with pytest.raises(Conflict, match="last active"), database.write() as session:
        proposals.confirm(session, alice, second.id)


def test_nobody_switches_or_removes_themselves(database: Database, alice: Principal) -> None:
    for act in (service.set_active, service.remove, service.unlock):
        with pytest.raises(Denied), database.write() as session:
            act(session, alice, alice.user_id, *([False] if act is service.set_active else []))


def test_of_two_confirmations_at_once_one_counts(database: Database, alice: Principal, person: People) -> None:
    sec, second, nobody = person("sec", "secadmin"), person("second", "secadmin"), person("nobody")
    with database.write() as session:
        made = proposals.propose_role(session, sec, nobody.user_id, "analyst")

    def decide(who: Principal) -> str:
        try:
            with database.write() as session:
                return proposals.confirm(session, who, made.id).state
        except Conflict:
            return "conflict"

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(decide, [alice, second] * 3))
    assert sorted(outcomes) == ["confirmed"] + ["conflict"] * 5
    with database.read() as session:
        assert len(audit.listing(session, action="account.confirm").entries) == 1


def test_a_new_role_ends_the_sessions_of_the_old_one(database: Database, alice: Principal, person: People) -> None:
    sec, nobody = person("sec", "secadmin"), person("nobody", "leader")
    with database.write() as session:
        token = sessions.create_session(session, nobody.user_id, sessions.Asking(HOME), factor="totp")
    give(database, sec, alice, nobody.user_id, "analyst")
    assert sessions.principal_of(database, token) is None


def test_a_system_administrator_cannot_take_over_an_account(database: Database, alice: Principal, person: People) -> None:
    aud = person("aud", "auditadmin")
    with pytest.raises(Denied, match="propose"), database.write() as session:
        links.create_invitation(session, alice, aud.user_id)
    with database.write() as session:
        made = proposals.propose_reset(session, alice, aud.user_id, "factors")
    with pytest.raises(Denied), database.write() as session:
        proposals.confirm(session, alice, made.id)


def test_a_forgotten_password_takes_two_persons_and_the_owner(database: Database, alice: Principal, person: People) -> None:
    sec, bob = person("sec", "secadmin"), person("bob", "analyst")
    with database.write() as session:
        made = proposals.propose_reset(session, alice, bob.user_id, "password", reason="forgot it")
        proposals.confirm(session, sec, made.id)
    assert login.log_in(database, "bob", PASSWORD, HOME).reason == "wrong"
    with database.write() as session:
        token = links.create_invitation(session, alice, bob.user_id)
    with pytest.raises(Invalid, match="used before"):
        links.redeem(database, token, "", PASSWORD, HOME)
    assert links.redeem(database, token, "ignored", "Brand-New-Pass-1", HOME).name == "bob"
    assert login.log_in(database, "bob", "Brand-New-Pass-1", HOME).ok
    with pytest.raises(Denied):
        links.redeem(database, token, "", "Brand-New-Pass-2", HOME)


def test_links_for_a_power_work_only_while_nobody_holds_it(database: Database, alice: Principal, person: People) -> None:
    with database.write() as session:
        made = links.create_missing(session, alice.actor, more=("analyst",))
    assert sorted(made) == ["analyst", "auditadmin", "secadmin"]
    person("sec", "secadmin")
    with pytest.raises(Denied):
        links.redeem(database, made["secadmin"], "mallory", "Another-Pass-77", HOME)
    assert links.redeem(database, made["auditadmin"], "aud", "Another-Pass-77", HOME).role == "auditadmin"
    with database.write() as session:
        assert list(links.create_missing(session, alice.actor)) == []


def test_roles_that_need_a_scope_or_an_end(database: Database, alice: Principal, person: People) -> None:
    sec, nobody = person("sec", "secadmin"), person("nobody")
    with database.write() as session:
        session.add(
            ZoneRow(
                id="water-ot", name="水", name_en="Water", layer="perception", owner="水务局", importance=5, ranges="[]",
                vlans="[]", sensors="[]", internet="forbidden", admission="open", changed_at="", changed_by="",
            )
        )  # fmt: skip
    for role, more in (
        ("bureau", {}),
        ("auditor", {}),
        ("auditor", {"days": 400}),
        ("analyst", {"days": 3}),
        ("secadmin", {"scope": Reach(zones=("water-ot",))}),
        ("bureau", {"scope": Reach(zones=("no-such",))}),
        ("bureau", {"scope": Reach(organisations=("火星局",))}),
        ("root", {}),
    ):
        with pytest.raises(Invalid), database.write() as session:
            proposals.propose_role(session, sec, nobody.user_id, role, **more)  # type: ignore[arg-type]
    give(database, sec, alice, nobody.user_id, "bureau", scope=Reach(organisations=("水务局",)))
    with database.write() as session:
        token = sessions.create_session(session, nobody.user_id, sessions.Asking(HOME), factor="totp")
    who = sessions.principal_of(database, token)
    assert who is not None
    assert who.zones == frozenset({"water-ot"})


def test_a_role_for_a_time_ends_by_itself(database: Database, alice: Principal, person: People, time: Clock) -> None:
    sec, nobody = person("sec", "secadmin"), person("nobody")
    give(database, sec, alice, nobody.user_id, "auditor", days=2)
    with database.write() as session:
        token = sessions.create_session(
            session, nobody.user_id, sessions.Asking(HOME), factor="totp", policy=Policy(session_time=10**6)
        )
    relaxed = Policy(idle_time=10**6)
    time.pass_seconds(2 * 86400 - 1)
    assert sessions.principal_of(database, token, policy=relaxed)
    time.pass_seconds(2)
    assert sessions.principal_of(database, token, policy=relaxed) is None
    with database.write() as session:
        assert service.disable_unused(session) == ["nobody"]


def test_unused_accounts_are_switched_off_but_the_powers_stay(
    database: Database, alice: Principal, person: People, time: Clock
) -> None:
    person("sec", "secadmin"), person("idle", "analyst"), person("busy", "analyst")
    time.pass_seconds(89 * 86400)
    assert login.log_in(database, "busy", PASSWORD, HOME, policy=Policy(second_factor="administrators")).ok
    time.pass_seconds(86401)
    with database.write() as session:
        assert service.disable_unused(session) == ["idle"]
    assert login.log_in(database, "idle", PASSWORD, HOME).reason == "disabled"
    with database.write() as session:
        users = {user.name: user for user in service.list_users(session)}
        assert users["idle"].disabled_for == "unused"
        service.set_active(session, alice, users["idle"].id, True)
        assert service.disable_unused(session) == []


def test_a_removed_account_keeps_its_name_and_nothing_else(database: Database, alice: Principal, person: People) -> None:
    bob = person("bob", "analyst")
    with database.write() as session:
        _, key = keys.create_key(session, bob, "bot")
        service.remove(session, alice, bob.user_id)
    assert keys.principal_of_key(database, key) is None
    assert login.log_in(database, "bob", PASSWORD, HOME).reason == "wrong"
    with pytest.raises(Conflict), database.write() as session:
        service.create_account(session, alice, "BOB")
    with pytest.raises(NotFound), database.write() as session:
        service.set_active(session, alice, bob.user_id, True)


def test_no_key_administers(database: Database, alice: Principal, person: People) -> None:
    assert not any(
        for_keys(role) & {"accounts.manage", "accounts.grant", "accounts.confirm", "keys.own", "keys.all"} for role in ROLES
    )
    admin = person("admin2", "sysadmin")
    with pytest.raises(Invalid), database.write() as session:
        keys.create_key(session, admin, "evil", "write", permissions=["accounts.manage"])
    with pytest.raises(Invalid), database.write() as session:
        keys.create_key(session, admin, "evil", "write", permissions=["alerts.read"])
    with database.write() as session:
        _, token = keys.create_key(session, admin, "bot", "write")
    who = keys.principal_of_key(database, token)
    assert who is not None
    assert who.permissions == {"platform.read", "sources.read", "webhooks.manage"}


def test_a_key_shrinks_with_its_owner_and_can_be_narrowed(database: Database, alice: Principal, person: People) -> None:
    sec, bob = person("sec", "secadmin"), person("bob", "analyst")
    with database.write() as session:
        record, token = keys.create_key(session, bob, "bot", permissions=["alerts.write", "alerts.read", "events.read"])
    assert record.scope == "write"
    with database.write() as session, pytest.raises(Invalid):
        keys.narrow_key(session, sec, record.id, permissions=["alerts.read", "events.export"])
    with database.write() as session:
        keys.narrow_key(
            session, sec, record.id, permissions=["alerts.read", "events.read"], networks=["10.0.0.0/8", "2001:db8::/32"]
        )
    assert keys.principal_of_key(database, token, "192.0.2.1") is None
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7"):
        who = keys.principal_of_key(database, token, address)
        assert who is not None
        assert who.permissions == {"alerts.read", "events.read"}
    give(database, sec, alice, bob.user_id, "auditor", days=3)
    who = keys.principal_of_key(database, token, "10.1.2.3")
    assert who is not None
    assert who.permissions == {"alerts.read"}


def test_administrators_come_from_their_networks_only(database: Database, person: People) -> None:
    policy = Policy(admin_networks=("10.9.0.0/16", "2001:db8:9::/48"))
    person("sec", "secadmin"), person("bob", "analyst")
    assert login.log_in(database, "sec", PASSWORD, "203.0.113.7", policy=policy).reason == "network"
    assert login.log_in(database, "sec", PASSWORD, "2001:db8:9::1", policy=policy).ok
    assert login.log_in(database, "bob", PASSWORD, "203.0.113.7", policy=policy).ok
