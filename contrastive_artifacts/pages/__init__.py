"""Web pages: served ones (explorer, review) and files that open from disk (map, hits, contact sheet)."""
