"""Pages of incidents: the list, one incident with its tabs, and what people do there."""
