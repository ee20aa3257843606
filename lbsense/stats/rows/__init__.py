"""Rows: the joint noise of submissions from labels, predictions and influences."""
