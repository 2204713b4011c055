"""What several pages use: the local server, pictures of sound, previews to play."""
