"""The systems of a city that playbooks act on, in network namespaces with the addresses that the demo city gives them.

::

    attacker 203.0.113.7 ──┐            ┌── bureau 10.21.0.21   FIN-WS-01, an office of the treasury
                           ├─ gateway ──┼── data   10.50.0.35   pop-db-01, the data platform
    platform 10.70.9.2 ────┘            ├── dns    10.70.0.53   ops-dns-01, a dnsmasq that asks another at the attacker's
                                        └── plant  10.60.0.10   WTR-HMI-01, a zone with control systems

The gateway filters with nftables; gateway, bureau, data and dns have an sshd of their own, in which ``liandun`` is root. The
directory (OpenLDAP with a password policy) and the receiver of webhooks stand at the platform's side. Real programs, real packets.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import ldap3

from crypto.secret import MasterKey
from demo.zone_plan import lanting_plan
from kernel.db import Database
from kernel.layout import Layout
from operations.audit.schema import SYSTEM, Actor
from operations.webhooks import service as webhooks
from operations.webhooks.guard import WebhookPolicy
from operations.webhooks.schema import Sent
from operations.webhooks.sender import deliver_due
from operations.zones import service as zones
from operations.zones.publish import PlanPublisher
from playbooks.library import load
from playbooks.shelf import service as shelf
from playbooks.vault import service as vault
from tests.operations.accounts.ldap_server import CONFIG, DATA, SLAPD, LdapServer
from tests.operations.webhooks.receivers import HttpReceiver
from tests.playbooks.actions.dns_question import ask
from tests.playbooks.actions.ssh_server import SshServer
from tests.playbooks.actions.street import Sides, Street, available, street
from tests.state_database import migrated
from tests.system.platform import ROOT, wait_until

ATTACKER, PLATFORM, GATEWAY = "203.0.113.7", "10.70.9.2", "10.70.9.1"
BUREAU, DATA_HOST, DNS, PLANT = "10.21.0.21", "10.50.0.35", "10.70.0.53", "10.60.0.10"
SINKHOLE = "10.70.9.9"
SIDES: Sides = {
    "attacker": ((ATTACKER, "2001:db8:bad::7"), ("203.0.113.1", "2001:db8:bad::1")),
    "platform": ((PLATFORM, "2001:db8:70:9::2"), (GATEWAY, "2001:db8:70:9::1")),
    "bureau": ((BUREAU, "2001:db8:21::21"), ("10.21.0.1", "2001:db8:21::1")),
    "data": ((DATA_HOST, "2001:db8:50::35"), ("10.50.0.1", "2001:db8:50::1")),
    "dns": ((DNS, "2001:db8:70::53"), ("10.70.0.1", "2001:db8:70::1")),
    "plant": ((PLANT, "2001:db8:60::10"), ("10.60.0.1", "2001:db8:60::1")),
}
ADDRESSES = {side: ours[0] for side, (ours, _) in SIDES.items()}
ADMIN, ADMIN_SECRET = "cn=admin,dc=city,dc=test", "search-secret"
POLICY = WebhookPolicy(allow=("127.0.0.0/8",), deadline=30.0)
PARTS = available("sshd", "ssh", "nft", "dnsmasq", "dumpcap") and SLAPD is not None
NEEDS = "needs root, iproute2, nftables, openssh-server, dnsmasq, slapd and dumpcap (wireshark-common)"
_LDAP_POLICY = """
overlay ppolicy
ppolicy_default "cn=policy,dc=city,dc=test"
"""
_LDAP_MORE = """
dn: cn=policy,dc=city,dc=test
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE
"""


class Estate:
    """The systems, the state of a platform, and its playbooks role as a process of its own."""

    def __init__(self, there: Street, ldap: LdapServer, receiver: HttpReceiver, folder: Path) -> None:
        self.there, self.receiver = there, receiver
        self._ldap, self._folder = ldap, folder
        for side in ("bureau", "data", "plant", "attacker"):
            there.listen(side)
        self._ssh = {
            side: SshServer(there, side, address, folder / side, root="liandun")
            for side, address in (("gateway", GATEWAY), ("bureau", BUREAU), ("data", DATA_HOST), ("dns", DNS))
        }
        for side in ("gateway", "data", "dns"):  # one key of the platform for all
            shutil.copy(folder / "bureau" / "login.pub", folder / side / "authorized")
        self._start_dns()
        (folder / "captures").mkdir()
        for side in ("attacker", "data"):
            there.start("gateway", "dumpcap", "-q", "-P", "-i", side, "-w", str(folder / "captures" / f"{side}.pcap"))
        layout = Layout(folder / "state").create()
        (layout.root / "liandun.toml").write_text(self._configuration())
        self.key = MasterKey.load(layout.master_key)
        self.database: Database = migrated(layout.state_url)
        self._fill()
        PlanPublisher(self.database, layout.zones)()
        self._data = layout.root
        self._role: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to carry runs out; returns when the shipped playbooks are in force."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LIANDUN_DATA": str(self._data)}
        line = ["ip", "netns", "exec", self.there.names["platform"], sys.executable, "-m", "cli", "role", "playbooks", "--stay"]
        with (self._data / "role.out").open("ab") as output:
            self._role = subprocess.Popen(line, cwd=ROOT, env=environment, stdout=output, stderr=output)
        wait_until(lambda: len(list((self._folder / "captures").iterdir())) == 2, 10, "packets are kept")
        wait_until(self._is_ready, 30, "the shipped playbooks are in force")

    # -- what is there --------------------------------------------------------------------------------------------------------

    def reaches(self, source: str, target: str) -> bool:
        """Whether packets flow between two sides."""
        return self.there.reaches(source, ADDRESSES[target])

    def attack(self, source: str, target: str) -> None:
        """Packets flow from the attacker's side or the data platform's, and are kept."""
        kept = self._folder / "captures" / f"{source}.pcap"
        before = kept.stat().st_size
        assert self.reaches(source, target), "what was done before is still so"
        wait_until(lambda: kept.stat().st_size > before, 10, "the packets are kept")

    def side_of(self, address: str) -> str:
        """Whose address it is."""
        return next(side for side, known in ADDRESSES.items() if known == address)

    def logs_in(self, account: str) -> bool:
        """Whether the directory lets an account in."""
        with self.there.inside("platform"):
            return bool(self._directory(f"uid={account},dc=city,dc=test", f"{account.title()}-Password-1").bind())

    def resolves(self, name: str) -> list[str]:
        """The addresses that the city's resolver gives."""
        found: list[list[str]] = []

        def answered() -> bool:
            with contextlib.suppress(OSError), self.there.inside("data"):
                found.append(ask(DNS, name)[1])
            return bool(found)

        wait_until(answered, 10, "the resolver answers")
        return found[0]

    def put_right(self) -> None:
        """Nothing is blocked, isolated, diverted or disabled any more, whoever did it: a case that failed leaves nothing behind."""
        for side in ("gateway", "bureau"):
            self.there.run(side, "nft", "flush", "ruleset")
        if left := list((self._folder / "dnsmasq.d").iterdir()):
            for path in left:
                path.unlink()
            self.there.run("dns", "sh", str(self._folder / "dns-restart"))
        with self.there.inside("platform"), self._directory(ADMIN, ADMIN_SECRET) as admin:
            admin.modify("uid=zhang,dc=city,dc=test", {"pwdAccountLockedTime": [(ldap3.MODIFY_DELETE, [])]})

    def deliver(self) -> None:
        """What the scheduler does: send the messages that wait."""
        with self.there.inside("platform"):
            while deliver_due(self.database, self.key, POLICY) != Sent():
                pass

    def said(self) -> str:
        """The end of what the role wrote."""
        return (self._data / "role.out").read_text("utf-8", "replace")[-2000:]

    def close(self) -> None:
        if self._role is not None:
            self._role.kill()
            self._role.wait()
        subprocess.run(["kill", (self._folder / "dnsmasq.pid").read_text().strip()], check=False)
        self.database.close()

    def _directory(self, name: str, password: str) -> ldap3.Connection:
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(self._ldap.ca))
        return ldap3.Connection(ldap3.Server(f"ldaps://127.0.0.1:{self._ldap.tls_port}", tls=tls), name, password)

    # -- how it is made -------------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        logins = {"ssh-gateway": [GATEWAY], "ssh-endpoint": [BUREAU, DATA_HOST], "ssh-resolver": [DNS]}
        ours = (self._folder / "bureau" / "login").read_text()
        officer = Actor("sysadmin", "")
        with self.database.write() as session:
            zones.import_plan(session, SYSTEM, lanting_plan(datetime.now(UTC)))
            for name, hosts in logins.items():
                vault.set_secret(session, officer, self.key, name, ours, hosts)
            vault.set_secret(session, officer, self.key, "directory", ADMIN_SECRET, [])
            webhooks.create_target(
                session, officer, self.key, name="chat", url=self.receiver.url(), min_level="informational", policy=POLICY
            )

    def _configuration(self) -> str:
        known_hosts = self._folder / "known_hosts"
        known_hosts.write_text("".join(one.known_hosts.read_text() for one in self._ssh.values()))
        return f"""
[playbooks]
known_hosts = "{known_hosts}"
management_networks = ["10.70.9.0/24"]
sinkhole = ["{SINKHOLE}"]
[playbooks.dnsmasq]
folder = "{self._folder}/dnsmasq.d"
check = ["/usr/sbin/dnsmasq", "--test", "-C", "{self._folder}/dnsmasq.conf"]
reload = ["sh", "{self._folder}/dns-restart"]
[playbooks.directory]
url = "ldaps://127.0.0.1:{self._ldap.tls_port}"
ca_file = "{self._ldap.ca}"
base_dn = "dc=city,dc=test"
bind_dn = "{ADMIN}"
[[ingest.pcap_folder]]
id = "edge"
path = "{self._folder}/captures"
"""

    def _start_dns(self) -> None:
        folder = self._folder
        (folder / "dnsmasq.d").mkdir()
        usual = "no-resolv\nno-hosts\nno-daemon\nbind-interfaces\nuser=root\n"
        (folder / "outside.conf").write_text(f"{usual}listen-address={ATTACKER}\naddress=/evil.example/{ATTACKER}\n")
        self.there.start("attacker", "/usr/sbin/dnsmasq", "-C", str(folder / "outside.conf"))
        (folder / "dnsmasq.conf").write_text(f"{usual}listen-address={DNS}\nserver={ATTACKER}\nconf-dir={folder}/dnsmasq.d\n")
        start = f"/usr/sbin/dnsmasq -C {folder}/dnsmasq.conf </dev/null >/dev/null 2>&1 9>&- & echo $! >{folder}/dnsmasq.pid\n"
        (folder / "dns-start").write_text(start)
        (folder / "dns-restart").write_text(f"kill $(cat {folder}/dnsmasq.pid); sleep 0.2; {start}sleep 0.3\n")
        self.there.run("dns", "sh", str(folder / "dns-start"))

    def _is_ready(self) -> bool:
        assert self._role is not None
        assert self._role.poll() is None, self.said()
        with self.database.read() as session:
            return {one.id for one in load()} <= {one.playbook_id for one in shelf.startable(session)}


@contextlib.contextmanager
def estate(folder: Path) -> Iterator[Estate]:
    """All of it for the length of a with block."""
    (folder / "slapd").mkdir()
    config = CONFIG.replace("moduleload back_mdb", "moduleload back_mdb\nmoduleload ppolicy") + _LDAP_POLICY
    with street(SIDES) as there, contextlib.ExitStack() as stack:
        with there.inside("platform"):
            ldap = stack.enter_context(LdapServer(folder / "slapd", config, DATA + _LDAP_MORE))
            receiver = HttpReceiver()
        made = Estate(there, ldap, receiver, folder)
        try:
            made.start()
            yield made
        finally:
            made.close()
            receiver.shutdown()
            receiver.server_close()
