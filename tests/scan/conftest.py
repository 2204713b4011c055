"""Puts this folder on the path of its tests, for the helper in measures.py."""
