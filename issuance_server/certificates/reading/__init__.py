"""Reading certificates back, by eyes that share nothing with the writer."""
