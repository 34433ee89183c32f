"""The gateway's own health, and what is sent to who helps."""
