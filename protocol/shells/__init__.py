"""The one impure corner of ``protocol``: carries envelopes over MQTT.

The server and the terminals both need it, and neither may import the other. Nothing in
``protocol`` imports it. Here live the socket, the event loop's clock and the waiting; what the
bytes mean is told in the pure modules above.
"""
