"""Version of Liandun (semantic versioning), shown in the console, the API and --version."""

VERSION = "0.1.0"
