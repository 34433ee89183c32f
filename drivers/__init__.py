"""South side: one file group per protocol, all behind `contract.Driver`."""
