"""Probes of MySQL and MariaDB, over what mysql_export.sql printed."""
