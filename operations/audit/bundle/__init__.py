"""What an exported bundle of the trail holds besides the trail: a verifier that needs nothing but Python, and how to use it."""
