"""Submissions from the servers of the platforms: asked with patience, nothing lost."""
