"""Search: an index of vectors with metadata, and retrieval of what sounds broken alike."""
