"""The list that a fetch keeps: nothing lost, nothing doubled, whatever stands in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lbsense import IngestError
from lbsense.ingest import Fetched, join_listing, listing_text, read_listing

NOW = datetime(2026, 7, 1, tzinfo=UTC)
CELLS = st.text(st.characters(codec="utf-8"), max_size=12)
ROWS = st.dictionaries(
    st.integers(1, 30).map(str),
    st.fixed_dictionaries({"description": CELLS, "publicScore": CELLS}),
    max_size=12,
)


def fetched(rows: dict[str, dict[str, str]], slug: str = "play") -> Fetched:
    listed = tuple(
        {"ref": ref, "date": f"2026-07-{int(ref):02d} 10:00:00.000", **row}
        for ref, row in rows.items()
    )
    return Fetched(platform="kaggle", slug=slug, fetched_at=NOW, rows=listed, boards={})


@given(first=ROWS, second=ROWS)
def test_nothing_is_lost_and_nothing_doubled(first, second):
    kept = join_listing((), fetched(first)).rows
    merged = join_listing(kept, fetched(second))
    names = [row["ref"] for row in merged.rows]
    assert sorted(names) == sorted({*first, *second})
    assert names == sorted(names, key=int, reverse=True)
    assert merged.n_new == len(second.keys() - first.keys())
    assert merged.n_unlisted == len(first.keys() - second.keys())
    for row in merged.rows:
        newest, oldest = second.get(row["ref"], {}), first.get(row["ref"], {})
        for name in ("description", "publicScore"):
            assert row[name] == (newest.get(name) or oldest.get(name, ""))


@given(rows=ROWS)
def test_the_same_answer_again_is_no_news(rows):
    kept = join_listing((), fetched(rows)).rows
    again = join_listing(kept, fetched(rows))
    assert (again.n_new, again.n_changed, again.fresh) == (0, 0, ())
    assert again.rows == kept


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, as_json=st.booleans())
def test_what_is_written_is_read_again_as_it_was(tmp_path, rows, as_json):
    merged = join_listing((), fetched(rows))
    path = tmp_path / "list"
    text = listing_text(merged.rows, fetched(rows), as_json=as_json)
    path.write_bytes(text.encode("utf-8"))
    assert read_listing(path, "ref") == merged.rows


def test_a_list_that_cannot_be_read_is_an_ingest_error(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n", "utf-8")
    with pytest.raises(IngestError, match="no column 'ref'"):
        read_listing(path, "ref")
    assert read_listing(tmp_path / "none.csv", "ref") == ()
    path.write_text("", "utf-8")
    assert read_listing(path, "ref") == ()
