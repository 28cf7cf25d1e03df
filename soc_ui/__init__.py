"""The Flask console and the REST API. Views are thin: the rules live in :mod:`operations`, the SQL in :mod:`kernel`."""
