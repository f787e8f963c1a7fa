"""The world behind the ports: MQTT, SQLite, the PIN judge, renderers, clocks."""
