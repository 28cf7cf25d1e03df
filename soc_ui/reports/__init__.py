"""Pages of operations reports."""
