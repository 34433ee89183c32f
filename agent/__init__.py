"""The runtime of one gateway."""
