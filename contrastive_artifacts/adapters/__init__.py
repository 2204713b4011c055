"""Encoders in the form that benchmarks of other projects take, one thin module each."""
