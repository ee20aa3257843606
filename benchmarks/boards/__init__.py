"""Leaderboards whose truth is known, and how well they are read."""
