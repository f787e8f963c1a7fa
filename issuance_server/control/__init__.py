"""How a running server is asked and told: what commands say to it, and how acts are checked."""
