"""Puts this folder on the path of its tests, for the helpers in browsing.py."""
