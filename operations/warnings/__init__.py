"""Early warnings (预警) after GB/T 32924: drafted, approved, published to organisations, received, answered, adjusted, lifted."""
