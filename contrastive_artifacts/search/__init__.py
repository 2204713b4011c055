"""Search: an index of vectors with metadata, and retrieval of recordings with similar artifacts."""
