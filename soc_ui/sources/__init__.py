"""What comes in, how fast, and what could not be understood."""
