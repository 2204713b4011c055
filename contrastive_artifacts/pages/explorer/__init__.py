"""The explorer: a local web page to look at, play, search and label the rows of a run or an index."""
