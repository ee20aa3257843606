"""Histories: agreement, patterns, resolution, and what private scores show."""
