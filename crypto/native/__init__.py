"""Libraries of the machine reached through ctypes: found, bound with their types, used by the packages above."""
