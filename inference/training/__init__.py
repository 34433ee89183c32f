"""The scripts that make the shipped models. They need the train set and are never imported at run time."""
