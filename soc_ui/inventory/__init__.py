"""Devices: the register and what was seen on the network."""
