"""The on-site panel."""
