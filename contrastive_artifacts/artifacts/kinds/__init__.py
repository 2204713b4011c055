"""The artifacts, one fault a file, named after it."""
