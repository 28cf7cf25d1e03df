"""The requirements as data in our own words, keyed by the clause ids of the standards, which are stored and never computed."""
