"""Raw tables of submissions to a `History`."""
