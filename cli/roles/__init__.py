"""The roles of a running platform, one file each: ingest, worker, console, scheduler.

Each has ``run(config: Config) -> int`` and ends on SIGTERM. The supervisor (``liandun serve``) starts all of them; on several
hosts they are started one by one with ``liandun role NAME``.
"""
