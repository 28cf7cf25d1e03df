"""What commands do: one file for each kind of command, all behind ``contract``; ``registry`` knows which there are."""
