"""One end of a link in a process of its own: ``peer.py ROLE JSON``. Prints one JSON line with what came out."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

from crypto.channel.process import enter

if __name__ == "__main__":
    role, told = sys.argv[1], json.loads(sys.argv[2])
    if told.get("conf", True):
        enter(Path(told["folder"]), classic=told.get("mixed", False))

    from crypto.channel.errors import ChannelError
    from crypto.channel.link import Credentials

    credentials = Credentials(*(Path(path) if path else None for path in told["credentials"]))
    suite = told.get("suite", "domestic")
    if suite == "tlcp":
        from crypto.channel import tlcp as kind

        context = kind.TlcpContext(credentials, server=role != "client")
    else:
        from crypto.channel import tls13 as kind  # type: ignore[no-redef]

        context = kind.Tls13Context(credentials, server=role != "client", suite=suite)
    if role == "standing":  # takes whoever comes until it is killed
        with socket.create_server((told["host"], 0), family=socket.AF_INET6 if ":" in told["host"] else socket.AF_INET) as standing:
            print(standing.getsockname()[1], flush=True)
            while True:
                connected, _ = standing.accept()
                try:
                    context.open(connected, timeout=5).close()
                except (ChannelError, OSError):
                    connected.close()
    try:
        if role == "server":
            host = told.get("host", "127.0.0.1")
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.create_server((host, 0), family=family) as listener:
                print(listener.getsockname()[1], flush=True)
                listener.settimeout(30)
                connected, _ = listener.accept()
            link = context.open(connected, timeout=told.get("timeout", 5))
        else:
            link = kind.connect(told["host"], told["port"], context, name=told.get("name"), timeout=5)
        if role == "server":
            data = b""
            while len(data) < told.get("size", 5):
                data += link.receive(65536, 5)
            link.send(data[::-1], 5)
        else:
            sent = bytes(index % 251 for index in range(told.get("size", 5)))
            link.send(sent, 5)
            data = b""
            while len(data) < len(sent):
                data += link.receive(65536, 5)
            assert data == sent[::-1]
        link.close()
        facts = link.facts
        outcome = {"protocol": facts.protocol, "suite": facts.suite, "group": facts.group, "peer": facts.peer.name}
        print(json.dumps({**outcome, "domestic": facts.domestic}), flush=True)
    except ChannelError as error:
        print(json.dumps({"refused": getattr(error, "reason", type(error).__name__), "message": str(error)}), flush=True)
