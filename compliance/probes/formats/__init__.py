"""What configuration texts mean; nothing here reads a host or knows a criterion."""
