"""Indicators of compromise: what is watched for, who says so, until when, and how often it was met.

schema     records, candidates of an import
service    add, revoke, import; each act is audited
guard      what must never be watched for: the city's own addresses and names, whole networks of a provider
formats    lists, CSV, STIX 2.1 and MISP files as candidates
listing    pages, hits
publish    what is in force, as a file for the workers (kernel.indicators)
"""
