"""What a hostile broker can do, tried: the carrier of all lines in the hands of an enemy.

MQTT carries the envelopes and is trusted with nothing but delivery (ADR 0001), so everything that
a broker could do to them is done here, to real ends of real lines:

* ``broker``        the double: sees everything, and lets acts decide what arrives, where and when
* ``acts``          what it does with a message: lose, repeat, delay, damage, splice, replay, forge
* ``impostor``      ends of lines with keys of another authority, that answer in somebody's place
* ``recorder``      the oracle: what comes out of a line was sent into its other end, and once
* ``town``          a whole server and whole machines between which the broker stands
* ``virtual_time``  an event loop whose time passes only when nobody has anything to do

The handshakes are TLS 1.3 with certificates of a real authority, the server is the whole runtime on
a real file with the real PIN judge, and the terminals are whole machines; only the renderer, the
carrier and the clock are doubles.
"""
