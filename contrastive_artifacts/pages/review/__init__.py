"""The review page of a curation: a person plays the flagged clips and keeps or rejects each."""
