"""Dispatching of orders to machines."""
