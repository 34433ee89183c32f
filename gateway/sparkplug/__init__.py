"""Sparkplug B 3.0: the line as an edge node, its machines as devices. See docs/sparkplug.md."""
