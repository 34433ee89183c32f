"""What a line file holds, as an engineer writes it: its tables, the mistakes in it, its versions."""
