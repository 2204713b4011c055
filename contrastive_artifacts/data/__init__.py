"""Recordings as training material: corpora and splits, paired views, rendered data sets, curation."""
