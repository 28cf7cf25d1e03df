"""Assessment of a system: verdicts of items on objects with their history, what they come to, what people decide, scores, drift."""
