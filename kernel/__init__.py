"""The ground floor: what every room shares and no room owns.

Configuration, the ECS event, raw records, detections, the spool, the event store, the state database, the query
language and the pipeline. Imports nothing above it; only :mod:`crypto` lies below (docs/adr/0001).
"""
