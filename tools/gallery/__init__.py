"""Pictures of every kind of certificate and of what is notable among the samples."""
