"""North side: MQTT, the on-site panel and the tour displays."""
