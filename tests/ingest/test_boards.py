"""Leaderboards of every generation, alone, in pairs and in series."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lbsense.errors import IngestError
from lbsense.ingest import read_leaderboard, read_leaderboards

NOW = (
    "Rank,TeamId,TeamName,LastSubmissionDate,Score,SubmissionCount,TeamMemberUserNames\n"
    '1,11,"ada, & co",2026-07-18 09:03:33,0.91,7,"ada,bob"\n'
    '2,12,"  20211117 ",2026-07-17 09:03:33,0.90,3,cyd\n'
    "3,13,Straße,2026-07-16 09:03:33,0.89,2,dee\n"
    "0,99,Sample Submission Benchmark,2026-07-01 00:00:00,0.50,1,\n"
    "4,14,tail,2026-07-01 00:00:00,-1068014.436,1,eve\n"
)


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_a_download_of_today(tmp_path: Path) -> None:
    name = "some-comp-publicleaderboard-2026-09-30T17_41_44.csv"
    board = read_leaderboard(write(tmp_path / name, NOW, "utf-8-sig"))
    assert board.team_names == ("ada, & co", "20211117", "Straße", "tail")
    assert board.team_ids == ("11", "12", "13", "14")
    assert board.public.tolist() == [0.91, 0.90, 0.89, -1068014.436]
    assert board.public_rank.tolist() == [1, 2, 3, 4]
    assert board.n_submissions.tolist() == [7, 3, 2, 1]
    assert board.benchmarks == ("Sample Submission Benchmark",)
    assert board.competition.slug == "some-comp"
    assert board.competition.greater_is_better is True
    assert np.isnan(board.private).all()
    assert str(board.submitted_at[0]) == "2026-07-18T09:03:33.000000"


def test_a_private_download_is_told_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "c.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("c-privateleaderboard-2026-10-01T00_00_00.csv", NOW)
    board = read_leaderboard(file)
    assert np.isnan(board.public).all()
    assert board.private[0] == 0.91
    assert board.competition.greater_is_better is True


def test_kind_says_what_a_name_does_not() -> None:
    assert read_leaderboard(NOW, kind="private").private[1] == 0.90


def test_a_board_of_2011_with_every_improvement() -> None:
    board = read_leaderboard(
        "TeamId, TeamName, SubmissionDate, Score\n"
        "1,Foo,9/17/2011 5:33:33 AM,0.50\n"
        "1,Foo,9/18/2011 5:33:33 PM,0.40\n"
        '2,"Bar, Inc",9/17/2011 5:33:33 PM,0.45\n'
        '2,"Bar, Inc",9/19/2011 1:00:00 AM,0.44\n'
    )
    assert board.team_names == ("Foo", "Bar, Inc")
    assert board.public.tolist() == [0.40, 0.44]
    assert board.competition.greater_is_better is False
    assert board.history is not None
    assert board.history["score"].tolist() == [0.50, 0.45, 0.40, 0.44]
    assert str(board.submitted_at[0]) == "2011-09-18T17:33:33.000000"


def test_what_show_prints() -> None:
    text = (
        "Next Page Token = CfDJ8abc\r\n"
        "teamId,teamName,submissionDate,score\r\n"
        "5,one,2026-07-18 09:03:33.600000,0.91\r\n"
        "6,two,2026-07-18 09:03:33,0.90\r\n"
        "7,odd,2026-07-18 09:03:33,n/a?\r\n"
    )
    board = read_leaderboard(text, kind="private")
    assert board.team_names == ("one", "two", "odd")
    assert np.isnan(board.private[2])
    assert board.competition.greater_is_better is True
    (issue,) = board.issues
    assert (issue.line, issue.found) == (5, "n/a?")


def test_utf16_with_empty_lines(tmp_path: Path) -> None:
    text = "teamId,teamName,submissionDate,score\r\n\r\n5,one,2026-07-18,0.9\r\n\r\n"
    file = write(
        tmp_path / "show-page1.csv", text + "6,two,2026-07-18,0.8\r\n", "utf-16"
    )
    assert read_leaderboard(file).team_names == ("one", "two")


def test_a_saved_page(tmp_path: Path) -> None:
    rows = "".join(
        f"<tr><td>{i}</td><td>team {i}</td><td></td><td>{1 - i / 10}</td>"
        "<td>3</td><td>2d</td></tr>"
        for i in range(1, 5)
    )
    page = (
        "<!doctype html><html><body><table><tr><th>#</th><th>Team</th><th>Members</th>"
        f"<th>Score</th><th>Entries</th><th>Last</th></tr>{rows}</table></body></html>"
    )
    board = read_leaderboard(write(tmp_path / "page.html", page))
    assert board.team_names == tuple(f"team {i}" for i in range(1, 5))
    assert board.public_rank.tolist() == [1, 2, 3, 4]
    assert board.competition.greater_is_better is True


def test_a_page_saved_before_it_had_loaded(tmp_path: Path) -> None:
    page = "<!doctype html><html><body><div id='site-content'></div></body></html>"
    with pytest.raises(IngestError, match="web page|without a table"):
        read_leaderboard(write(tmp_path / "page.html", page))


def test_pairs_are_joined_by_team_id() -> None:
    private = (
        "Rank,TeamId,TeamName,LastSubmissionDate,Score\n"
        "1,12,renamed,2026-07-17 09:03:33,0.88\n2,11,ada,2026-07-17 09:03:33,0.87\n"
        "3,77,only here,2026-07-17 09:03:33,0.5\n"
    )
    board = read_leaderboard(NOW, private)
    assert board.matched_by == "team id"
    assert board.private[:2].tolist() == [0.87, 0.88]
    assert board.private_rank[:2].tolist() == [2, 1]
    assert board.team_names[-1] == "only here"
    assert np.isnan(board.public[-1])
    assert [issue.found for issue in board.issues] == ["2 teams", "1 team"]
    assert len(board) == 5


def test_pairs_without_ids_are_joined_by_names_that_are_unique() -> None:
    public = pd.DataFrame({"TeamName": ["a", "b", "c"], "Score": [0.9, 0.8, 0.7]})
    private = "TeamName,Score\nb,0.9\na,0.8\nd,0.6\n"
    board = read_leaderboard(public, private)
    assert board.matched_by == "team name"
    assert board.private[:2].tolist() == [0.8, 0.9]
    assert np.isnan(board.private[2])
    twins = "TeamId,TeamName,Score\n1,twin,0.9\n2,a,0.8\n3,b,0.7\n4,twin,0.6\n"
    joined = read_leaderboard(twins, private + "twin,0.5\n")
    assert np.isnan(joined.private[[0, 3]]).all()
    assert any("of several teams" in issue.found for issue in joined.issues)


def test_boards_given_the_wrong_way_round(tmp_path: Path) -> None:
    other = NOW.replace("0.91", "0.95").replace("0.90", "0.94")
    public = write(tmp_path / "x-publicleaderboard.csv", NOW)
    private = write(tmp_path / "x-privateleaderboard.csv", other)
    board = read_leaderboard(private, public)
    assert board.public[0] == 0.91
    assert board.private[0] == 0.95


def test_boards_of_two_competitions_are_refused() -> None:
    other = "TeamId,TeamName,Score\n501,x,0.2\n502,y,0.1\n"
    with pytest.raises(IngestError, match="0 teams are on both boards"):
        read_leaderboard(NOW, other)


def test_pages_are_one_board_and_days_are_a_series(tmp_path: Path) -> None:
    head = "teamId,teamName,submissionDate,score\n"
    pages = [
        write(tmp_path / "p1.csv", head + "1,a,2026-07-18,0.9\n2,b,2026-07-18,0.8\n"),
        write(tmp_path / "p2.csv", head + "3,c,2026-07-18,0.7\n"),
    ]
    assert read_leaderboard(pages).team_names == ("a", "b", "c")
    days = [
        write(
            tmp_path / f"c-publicleaderboard-2026-07-{day}T00_00_00.csv",
            head + f"1,a,2026-07-{day},0.{day}\n2,b,2026-07-01,0.05\n",
        )
        for day in (12, 11, 10)
    ]
    board = read_leaderboard(days)
    assert board.public.tolist() == [0.12, 0.05]
    assert board.history is not None
    assert board.history["score"].tolist() == [0.10, 0.05, 0.11, 0.05, 0.12, 0.05]


def test_many_boards_in_one_table() -> None:
    text = "competition,TeamId,TeamName,Score\nx,1,a,0.9\nx,2,b,0.8\ny,1,a,3\ny,5,c,4\n"
    boards = read_leaderboards(text)
    assert list(boards) == ["x", "y"]
    assert [len(board) for board in boards.values()] == [2, 2]
    assert boards["y"].competition.greater_is_better is False
    with pytest.raises(IngestError, match="several competitions"):
        read_leaderboard(text)


def test_places_that_contradict_the_user_are_refused() -> None:
    with pytest.raises(IngestError, match="higher is better"):
        read_leaderboard(NOW, metric="rmse")


def test_damaged_lines_are_named() -> None:
    text = "TeamId,TeamName,Score\n1,a,0.9\n2,b,extra,0.8\n3,c,0.7\n"
    board = read_leaderboard(text)
    assert board.team_names == ("a", "c")
    assert board.issues[0].line == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TeamId,TeamName,Score\n", "no row below it"),
        ("a,b\n1,2\n3,4\n", "no leaderboard|no table"),
        ("TeamId,TeamName,Score\n1,a,\n2,b,\n", "no team has a score"),
    ],
)
def test_what_is_no_board_says_so(text: str, message: str) -> None:
    with pytest.raises(IngestError, match=message):
        read_leaderboard(text)


def test_an_archive_of_two_boards_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.csv", NOW)
        archive.writestr("b.csv", NOW)
    file = tmp_path / "two.zip"
    file.write_bytes(content.getvalue())
    with pytest.raises(IngestError, match="archive of 2 tables"):
        read_leaderboard(file)


def test_a_team_is_found_by_id_name_and_loosely() -> None:
    board = read_leaderboard(NOW)
    assert board.find("12") == 1
    assert board.find("20211117") == 1
    assert board.find("TAIL") == 3
    with pytest.raises(ValueError, match="Close to it: tail"):
        board.find("tails")


def test_rows_that_stand_there_twice_are_taken_once() -> None:
    head = "Rank,TeamId,TeamName,LastSubmissionDate,Score,SubmissionCount\n"
    rows = [f"{i},{i},t{i},2026-07-01 10:00:00,0.{99 - i},3\n" for i in range(1, 21)]
    board = read_leaderboard(head + "".join(rows) + "".join(rows[10:15]))
    assert len(board) == 20
    assert board.history is None
    assert board.competition.greater_is_better
    assert "5 rows once more" in str(board.issues[0])


def test_a_page_whose_lists_a_script_draws(tmp_path: Path) -> None:
    page = tmp_path / "board.html"
    page.write_text(
        "<html><head><title>Leaderboard | Kaggle</title></head><body>"
        "<div id='site-content'></div><script>var x = 1</script></body></html>"
    )
    with pytest.raises(IngestError, match="saved before the board had loaded"):
        read_leaderboard(page)
