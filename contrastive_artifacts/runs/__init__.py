"""Runs: directories that hold a configuration and everything made from it; and comparisons of encoders."""
