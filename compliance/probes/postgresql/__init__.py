"""PostgreSQL: each file is one probe over what the server says of itself (reading.postgresql)."""
