"""Signal processing that several artifacts share."""
