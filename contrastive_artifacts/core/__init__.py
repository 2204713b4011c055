"""What every room uses: errors, files, journals, downloads, random seeds, the terminal, self-contained HTML pages."""
