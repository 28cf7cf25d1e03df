"""Rule sets from outside: read safely, kept under ``<data>/rules/<set>/`` with a manifest, replaced in one step."""
