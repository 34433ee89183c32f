"""Tag lists of other systems -> our device tables, with a verdict for each row."""
