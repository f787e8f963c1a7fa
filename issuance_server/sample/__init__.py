"""The sample city: fictitious residents of Toyonaka, and terminals in and out of the city."""
