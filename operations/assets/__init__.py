"""Assets: the register of devices and the inventory of what was seen."""
