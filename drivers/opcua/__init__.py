"""OPC UA client: subscriptions in columns, acknowledged after the commit."""
