"""Encoders, artifacts and probes in the forms that other projects take, one thin module each."""
