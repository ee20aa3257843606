"""Validation scores out of free text: descriptions and file names."""
