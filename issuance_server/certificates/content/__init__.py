"""What certificates say; how they look is in ``layout``."""
