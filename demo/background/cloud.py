"""Cloud and data platform: nodes and controllers talk to the API server, jobs use the object storage, nodes exchange."""

from __future__ import annotations

import random
from functools import partial

from demo import cloud
from demo.background.scene import Habit, Scene, flow
from demo.city import City
from demo.plan import Route

NAMESPACES = ("portal", "ability", "data-jobs", "monitoring")
CONTROLLERS = ("deployment-controller", "replicaset-controller", "cronjob-controller", "endpoint-controller")
BUCKETS = (("portal-attachments", "svc.portal"), ("data-lake", "svc.etl"), ("video-clips", "svc.vms"))


def _node(city: City, rng: random.Random) -> Scene:
    node = rng.choice(city.of("node"))
    told = partial(cloud.kubernetes, user=f"system:node:{node.name}", source=node.ip, namespace="", name=node.name)
    agent = "kubelet/v1.33.4 (linux/amd64) kubernetes/74cdb42"
    return [(0.0, Route.JSON, partial(told, verb="patch", resource="nodes", subresource="status", agent=agent))]


def _controller(city: City, rng: random.Random) -> Scene:
    master, name = rng.choice(city.of("kubernetes")), rng.choice(CONTROLLERS)
    account = f"system:serviceaccount:kube-system:{name}"
    verb, resource = rng.choice((("get", "configmaps"), ("list", "pods"), ("update", "endpoints"), ("watch", "services")))
    told = partial(cloud.kubernetes, user=account, source=master.ip, namespace=rng.choice(NAMESPACES), name=f"{resource}-1")
    agent = "kube-controller-manager/v1.33.4 (linux/amd64) kubernetes/74cdb42"
    return [(0.0, Route.JSON, partial(told, verb=verb, resource=resource, agent=agent))]


def _object(city: City, rng: random.Random) -> Scene:
    (bucket, user), node = rng.choice(BUCKETS), rng.choice(city.of("node"))
    action = rng.choice(("GetObject", "GetObject", "PutObject", "HeadObject", "ListObjects"))
    key = f"2026/{rng.randrange(1, 13):02d}/{rng.randrange(16**6):06x}.bin"
    told = partial(
        cloud.storage, user=user, source=node.ip, action=action, bucket=bucket, key=key, size=rng.randrange(900, 900_000)
    )
    return [(0.0, Route.JSON, told), (0.3, *flow(node, rng.choice(city.of("storage")), 9000, rng)[1:])]


def _job(city: City, rng: random.Random) -> Scene:
    """Data nodes exchange with each other and take work from the scheduler."""
    first, second = rng.sample(city.of("data"), 2)
    return [flow(first, second, 9866, rng, sent=rng.randrange(90_000, 9_000_000))]


def _cloud_query(city: City, rng: random.Random) -> Scene:
    return [flow(rng.choice(city.of("node")), rng.choice(city.within("data-platform", "db")), 5432, rng)]


HABITS = (
    Habit(_node, 2_400, "steady"),
    Habit(_controller, 2_400, "steady"),
    Habit(_object, 1_600, "citizen"),
    Habit(_job, 1_500, "steady"),
    Habit(_cloud_query, 1_500, "citizen"),
)
