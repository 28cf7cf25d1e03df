"""Pages of the service catalogue and of applications."""
