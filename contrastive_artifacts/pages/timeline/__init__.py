"""The page of a timeline, served with the whole recording; its HTML and scripts are in ``scan/timeline/``."""
