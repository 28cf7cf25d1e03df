"""Network devices: each file is one probe over a configuration file (formats.device)."""
