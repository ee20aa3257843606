"""Competitions on real tables with real learners, whose truth is known.

``python -m benchmarks.semi_real make DIR`` makes them, ``... judge DIR`` holds what
lbsense states against what is true. docs/semi_real.md has the results.
"""
