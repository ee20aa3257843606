"""Was a step real? One mixture over every source of scores along a tree of submissions.

`kinds` holds what other histories teach, `sources` what measures a step, `mixture` the
likelihood of one set of candidates, `posterior` the whole, `tree` what steps share.
"""
