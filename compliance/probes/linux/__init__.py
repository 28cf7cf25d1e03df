"""Linux hosts: each file is one probe over a snapshot of the host (reading.host)."""
