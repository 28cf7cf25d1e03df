"""What has changed since a mark, for those who watch: new alerts, and what people did to alerts, incidents, warnings, tickets."""
