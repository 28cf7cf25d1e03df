"""A real Kafka broker for one test: TLS with SASL beside a plain listener."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient, NewTopic

_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
USER, PASSWORD = "liandun", "p=ss-w0rd"


class Broker:
    """``plain`` and ``secured`` are ports on 127.0.0.1."""

    def __init__(self, folder: Path, jars: Path) -> None:
        self._folder, self._jars = folder, jars
        self.plain, self.secured, self._controller = _free_ports(3)

    def java(self, program: str, *arguments: str, seconds: float = 60) -> str:
        """Run one of Kafka's programs; what it printed."""
        command = ["java", "-Xmx256m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", f"{self._jars}/*", program]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=seconds, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def make_topic(self, name: str) -> None:
        with contextlib.closing(KafkaAdminClient(bootstrap_servers=self._plain)) as admin:
            admin.create_topics([NewTopic(name, num_partitions=2, replication_factor=1)])

    def records(self, topic: str, number: int) -> list[Any]:
        """The first records of a topic, read over the plain listener."""
        with contextlib.closing(
            KafkaConsumer(topic, bootstrap_servers=self._plain, auto_offset_reset="earliest", consumer_timeout_ms=30_000)
        ) as consumer:
            return list(itertools.islice(consumer, number))

    @property
    def _plain(self) -> str:
        return f"127.0.0.1:{self.plain}"

    @contextlib.contextmanager
    def running(self, pem: Path) -> Iterator[Broker]:
        """``pem``: private key and certificate of 127.0.0.1."""
        settings = self._folder / "server.properties"
        settings.write_text(self._settings(pem))
        identity = self.java("kafka.tools.StorageTool", "random-uuid").split()[-1]
        scram = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        self.java("kafka.tools.StorageTool", "format", "-t", identity, "-c", str(settings), "--add-scram", scram)
        command = ["java", "-Xmx384m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{self._jars}/*", "kafka.Kafka"]
        with (self._folder / "broker.log").open("wb") as log:
            process = subprocess.Popen([*command, str(settings)], stdout=log, stderr=log, start_new_session=True)
        try:
            end = time.monotonic() + 180
            while not _answers(self.secured):
                assert process.poll() is None, (self._folder / "broker.log").read_text()[-2000:]
                assert time.monotonic() < end, "the broker does not open its port"
                time.sleep(0.3)
            yield self
        finally:
            process.kill()
            process.wait()

    def _settings(self, pem: Path) -> str:
        lines = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.plain},SASL_SSL://127.0.0.1:{self.secured},"
            f"CONTROLLER://127.0.0.1:{self._controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.plain},SASL_SSL://127.0.0.1:{self.secured}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(self._folder / "log"),
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "auto.create.topics.enable": "false",
            "listener.name.sasl_ssl.ssl.keystore.type": "PEM",
            "listener.name.sasl_ssl.ssl.keystore.location": str(pem),
            "listener.name.sasl_ssl.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{_SCRAM} required;",
        }
        return "".join(f"{name}={value}\n" for name, value in lines.items())


def kafka_jars(shared: Path) -> Path:
    """Kafka's jars, fetched once by Maven (shared/services/kafka/pom.xml)."""
    jars = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "services" / "kafka"
    if not list(jars.glob("kafka_2.13-*.jar")):
        command = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        subprocess.run(command, cwd=shared / "services" / "kafka", check=True, timeout=600, capture_output=True)
    return jars


def missing() -> str:
    """What is not installed, "" where all is there."""
    return " ".join(program for program in ("java", "mvn") if shutil.which(program) is None)


def _free_ports(number: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
