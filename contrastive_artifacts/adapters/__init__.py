"""Encoders as benchmarks of other projects want them: one thin module each."""
