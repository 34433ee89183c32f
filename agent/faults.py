"""What to do about each fault, by its code: one table for logs, panel, wire and docs."""

from __future__ import annotations

from agent.model import Fault

REMEDIES = {
    "not_connected": "Check power and network cable of the device and its address in the line file;"
    " the agent keeps trying.",
    "misconfigured": "Correct the device's table in the line file and start the agent again.",
    "untrusted": "Compare the certificate's thumbprint with the server's own display, then accept it with"
    " tanchang trust accept; the agent goes on by itself.",
    "internal": "Restart is automatic. Report the traceback in the log as a bug.",
    "suspect_counter": "The counter jumped further than the machine can produce: check the counter's tag and type,"
    " and max_rate of the machine. Counting goes on from the new value once it moves.",
    "salvaged": "The ledger file was damaged and a new one goes on: check the disk, keep the quarantine folder"
    " for its history, and start the agent again to clear this.",
    "users_unreadable": "Bring back a copy of access/users.json in the state folder, or move it away and make the first"
    " admin anew with the code on the console; then start the agent again. Until then nobody can log in.",
    "unsynchronised": "The gateway does not know the time: let it reach a time server, or set its clock. Order and"
    " durations hold; times of devices without a clock of their own do not.",
    "store_filling": "Free space on the disk, or allow the ledger more: size in the [ledger] table of the line file."
    " Samples give way first, counts never.",
    "not_durable": "The disk refuses to store: free space on it or replace it. Records wait in memory until then.",
}


def fault(source: str, code: str, message: str, since: int) -> Fault:
    """A fault with the remedy of its code; KeyError for a code that is not in the table."""
    return Fault(source, code, message, REMEDIES[code], since)
