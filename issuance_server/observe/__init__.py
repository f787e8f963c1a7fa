"""What operators see: the catalogue of log events and the logging set-up."""
