"""What several pages use: the local server, spectrograms, previews, texts, and modules of their scripts."""
