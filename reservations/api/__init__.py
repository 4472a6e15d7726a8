"""The HTTP doors of the engine: plain views over msgspec types, thin and alike."""
