"""``terminal-sim kiosk``: the touch panel of a multicopy machine, in the browser.

``panel`` decides what is shown and what a touch means, as a pure function; ``kiosk`` runs openings
of the line for whoever places a card; ``page`` carries screens to the browser and touches back.
Keys, the PIN that was typed, and the certificate stay in this process.
"""
