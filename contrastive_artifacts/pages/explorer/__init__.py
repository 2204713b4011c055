"""The explorer: a local page over a run or an index, to look at, listen to, search and label."""
