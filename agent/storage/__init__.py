"""What the ledger stands on: its file, records and samples in it, what gives way, what is saved of a damaged one."""
