"""Out-of-fold and test predictions, rows matched by identifier."""
