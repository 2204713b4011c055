"""Scanning: the windows of a recording are classified and joined to the segments of a timeline."""
