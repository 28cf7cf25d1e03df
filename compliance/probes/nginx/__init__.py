"""nginx: each file is one probe over its configuration files."""
