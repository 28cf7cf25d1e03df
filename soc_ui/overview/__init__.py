"""The first page: what comes in, what was found, what needs somebody."""
