"""The commands beside the running line: before a line runs, and on what was recorded."""
