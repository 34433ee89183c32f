"""The tour displays."""
