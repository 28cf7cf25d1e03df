"""A system and its assessment in OSCAL 1.2.1 (NIST, JSON): six documents that refer to each other by file name.

    files(material, "zh")   → {"catalog.json": {...}, "profile.json": …}

UUIDs are of version 5, made of our own keys, and the time of the last change is that of the material: equal material gives
equal files.
"""

from compliance.reports.oscal.export import MODELS, bundle, document, files

__all__ = ["MODELS", "bundle", "document", "files"]
