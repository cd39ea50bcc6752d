"""What builds and documents Pilothouse; never installed with it."""
