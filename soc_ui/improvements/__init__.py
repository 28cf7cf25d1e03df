"""The improvement register of the console."""
