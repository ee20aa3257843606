"""Calibration of lbsense on simulated competitions with known truth."""
