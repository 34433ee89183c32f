"""Models on the device: inspection and scheduling."""
