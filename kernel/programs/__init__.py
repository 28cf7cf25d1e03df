"""Running the system's programs, here and on other hosts by ssh, within limits (docs/adr/0012)."""
