"""Live updates by server-sent events (WHATWG HTML, 9.2): ``/live`` and ``/api/v1/live``. See docs/adr/0009-live-streams.md."""
