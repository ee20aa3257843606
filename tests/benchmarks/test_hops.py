"""The counting of hops: a value is followed, what it becomes as well, and no other."""

from __future__ import annotations

import lbsense
from benchmarks.hops import follow
from lbsense.model import Competition, History


def test_a_value_is_followed_from_module_to_module() -> None:
    history = History(competition=Competition(), submissions=())
    told = follow(history, lambda: lbsense.analyze(history))
    assert told.hops[0][0] == "analysis/analyze:analyze"
    assert told.modules[0] == "analysis/analyze"
    assert len(set(told.modules)) == len(told.modules)
    assert 0 < told.n_returns < len(told.hops)
    assert len(set(told.hops)) == len(told.hops)


def test_what_is_not_carried_is_not_counted() -> None:
    history = History(competition=Competition(), submissions=())
    other = History(competition=Competition(), submissions=())
    assert not follow(other, lambda: len(history)).functions
