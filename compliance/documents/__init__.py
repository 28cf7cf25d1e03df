"""Management documents: policies, procedures, records, with editions, approval, review and readers."""
