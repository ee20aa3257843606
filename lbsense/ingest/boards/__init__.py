"""Leaderboards of every generation: files to boards."""
