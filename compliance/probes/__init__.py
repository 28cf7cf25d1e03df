"""Probes: what a machine can tell of an object, held against what the items ask (docs/compliance.md, Probes).

Reading (``reading``) is apart from judging: a probe gets texts and says a verdict, so each is tested with texts alone.
"""
