"""Experiment logs, joined to the submissions that they speak of."""
