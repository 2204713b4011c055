"""The page on which clips of a curation are heard, kept or rejected."""
