"""The rules in use, their text, and those that could not be loaded."""
