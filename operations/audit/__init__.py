"""The audit trail: append-only, chained with SM3."""
