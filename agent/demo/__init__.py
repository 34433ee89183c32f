"""The demo: plant, broker, agent and displays on one machine, and the balance that proves them."""
