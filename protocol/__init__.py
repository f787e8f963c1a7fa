"""The telegram protocol: a dedicated line (回線) between a terminal and a city, carried by MQTT.

Everything here is pure: no clock, no randomness, no file, no socket, no log. Time is an argument
(``now_ms``, milliseconds), bytes come in as arguments and leave as return values. ``SPEC.md``
beside this file is normative.
"""
