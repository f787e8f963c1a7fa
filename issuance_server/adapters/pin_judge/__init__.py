"""The PIN judge (照合係): a process of its own, the only one that ever holds a PIN.

``client`` is the server's side; ``judge`` decides, ``store`` remembers, ``process`` wires both.
"""
