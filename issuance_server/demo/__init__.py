"""The demonstration (``make demo``) and the sample city that stays up (``make run``)."""
