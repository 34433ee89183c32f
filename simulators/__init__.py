"""A plant in virtual time behind real servers: an independent witness."""
