"""A sender over a domestic link in a process of its own: ``sender.py JSON``; prints one JSON line when it has finished."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from crypto.channel.process import enter

if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    enter(Path(told["folder"]))

    import h11

    from crypto.channel.errors import ChannelError
    from crypto.channel.link import Credentials
    from crypto.channel.tls13 import Tls13Context, Tls13Link, connect

    context = Tls13Context(Credentials(*(Path(path) for path in told["credentials"] if path)), server=False)

    def post(link: Tls13Link, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        protocol = h11.Connection(h11.CLIENT)
        head = {"Host": "x", "Content-Length": str(len(body)), **headers}
        parts = (h11.Request(method="POST", target=path, headers=list(head.items())), h11.Data(data=body), h11.EndOfMessage())
        for part in parts:
            link.send(protocol.send(part) or b"", 10)
        status, answer = 0, b""
        while True:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                protocol.receive_data(link.receive(65536, 10))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                answer += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return status, answer
            else:
                raise ChannelError("closed")

    def open_link() -> Tls13Link:
        return connect(told["host"], told["port"], context, name="")

    if told["what"] == "syslog":
        link = open_link()
        for number in range(told["count"]):
            message = f"<13>1 2026-11-26T02:00:00Z host app - - - line {number}".encode()
            link.send(b"%d %s" % (len(message), message), 10)
        link.close()
        print(json.dumps({"sent": told["count"]}))
    elif told["what"] == "hold":  # an open link with nothing to say; prints when it was opened and when it ended
        link = open_link()
        link.send(b"10 <13>held x", 10)
        print("open", flush=True)
        try:
            link.receive(1, told.get("seconds", 20))
        except ChannelError as error:
            print(json.dumps({"ended": type(error).__name__}), flush=True)
    elif told["what"] == "post":
        link = open_link()
        status, answer = post(link, told["path"], told["body"].encode(), told.get("headers", {}))
        link.close()
        print(json.dumps({"status": status, "answer": json.loads(answer)}))
    else:  # batches of numbered lines, each sent until it is acknowledged; one acknowledged batch a line of output
        opened: Tls13Link | None = None
        for batch in range(told["count"]):
            lines = [json.dumps({"message": f"json {batch * 10 + index}"}) for index in range(10)]
            place = {"Liandun-Stream": "test", "Liandun-Offset": str(batch * 10)}
            while True:
                try:
                    opened = opened or open_link()
                    status, _ = post(opened, "/ingest", "\n".join(lines).encode(), place)
                    assert status == 200, status
                    break
                except (ChannelError, OSError):
                    if opened is not None:
                        opened.close()
                    opened = None
                    time.sleep(0.1)
            print(batch, flush=True)
