"""Exports of many teams: the host's page and Meta Kaggle."""

from __future__ import annotations

import json

import pytest

from lbsense.errors import IngestError
from lbsense.ingest import read_kaggle, read_submissions

HOST = """DateSubmitted,SubmissionId,TeamId,UserName,TeamName,IsSelected,PublicScore,PrivateScore
2026-09-22 05:59:46,903,11,ann,Ann & co,True,0.81,0.80
2026-09-21 05:59:46,902,12,bob,20211117,False,0.71,0.70
2026-09-20 05:59:46,901,11,ann,Ann & co,False,0.80,0.79
2026-09-19 05:59:46,900,13,cyd,bob's,False,,
"""
META = """Id,SubmittedUserId,TeamId,SourceKernelVersionId,SubmissionDate,ScoreDate,IsAfterDeadline,IsSelected,PublicScoreLeaderboardDisplay,PublicScoreFullPrecision,PrivateScoreLeaderboardDisplay,PrivateScoreFullPrecision
501,7,31,,09/17/2019 05:33:33,09/17/2019,False,False,0.812,0.81234567,0.802,0.80212345
502,7,31,99,09/18/2019 05:33:33,09/18/2019,False,True,0.813,0.81334567,0.803,0.80312345
503,8,32,,09/18/2019 06:00:00,09/18/2019,True,False,inf,Infinity,,
"""


@pytest.mark.parametrize("team", ["11", "Ann & co", "ann & CO", " Ann & co "])
def test_one_team_of_a_host_export(team):
    history = read_submissions(HOST, team=team)
    assert [item.submission_id for item in history] == ["901", "903"]
    assert [item.selected for item in history] == [False, True]
    assert [item.private_score for item in history] == [0.79, 0.8]
    assert [item.status for item in history] == ["complete", "complete"]
    assert history[0].description is None
    assert history.competition.platform == "kaggle"


def test_teams_are_listed_where_none_was_chosen():
    with pytest.raises(IngestError, match=r"of 3 teams.*11 \(Ann & co\) with 2 sub"):
        read_submissions(HOST)


def test_team_name_of_digits_is_found():
    assert [item.submission_id for item in read_kaggle(HOST, team="20211117")] == [
        "902"
    ]


def test_team_without_a_score_is_a_history_of_pending_submissions():
    assert read_kaggle(HOST, team="13")["900"].status == "pending"


def test_unknown_team_names_the_close_ones():
    with pytest.raises(IngestError, match=r"no team has.*Close to it: 11 \(Ann & co\)"):
        read_submissions(HOST, team="Ann und co")
    with pytest.raises(IngestError, match=r"no team has.*Found 11 \(Ann & co\) with 2"):
        read_submissions(HOST, team="zzzzzz")


def test_two_teams_of_one_name_need_an_id():
    text = HOST.replace("20211117", "Ann & co")
    with pytest.raises(IngestError, match=r"several teams.*11 \(2\), 12 \(1\)"):
        read_submissions(text, team="Ann & co")
    assert len(read_submissions(text, team="12")) == 1


def test_team_that_was_renamed_is_one():
    text = HOST.replace("901,11,ann,Ann & co", "901,11,ann,Ann")
    assert len(read_submissions(text, team="11")) == 2


def test_team_where_no_column_names_teams():
    with pytest.raises(IngestError, match="team='x' was asked for, but no column"):
        read_submissions("model,LB\na,0.5\n", team="x")


def test_one_team_needs_no_choice():
    lines = HOST.splitlines()
    assert len(read_submissions("\n".join([lines[0], lines[1], lines[3]]))) == 2


def test_rows_of_meta_kaggle():
    history = read_submissions(META, team="31")
    assert [item.submission_id for item in history] == ["501", "502"]
    assert [item.public_score for item in history] == [0.81234567, 0.81334567]
    assert history.competition.display_decimals == 3
    assert history["502"].submitted_at.day == 18
    assert history.dropped == ()


def test_infinite_scores_of_meta_kaggle():
    history = read_submissions(META, team="32")
    assert history["503"].public_score is None
    assert history.dropped[0].found == "Infinity"


def test_older_dump_without_selection():
    lines = [line.split(",") for line in META.splitlines()]
    text = "\n".join(",".join(line[:7] + line[8:]) for line in lines)
    history = read_submissions(text, team="31")
    assert [item.selected for item in history] == [None, None]
    assert [item.public_score for item in history] == [0.81234567, 0.81334567]


def test_legacy_json_of_the_site():
    rows = {
        "submissions": [
            {
                "id": 5,
                "dateSubmitted": "2018-03-04T05:06:07.890Z",
                "fileName": "a.csv",
                "publicScore": "0.5",
                "privateScore": None,
                "status": "complete",
                "description": "x",
            }
        ],
        "page": 1,
    }
    history = read_submissions(json.dumps(rows))
    assert (history["5"].public_score, history["5"].description) == (0.5, "x")


def test_submissions_of_one_team_by_the_client():
    text = "id,dateSubmitted,publicScore\n9,2026-07-02 10:00:00,0.6\n8,2026-07-01,0.5\n"
    assert [item.submission_id for item in read_submissions(text)] == ["8", "9"]
