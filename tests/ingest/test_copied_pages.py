"""Pages of submissions copied as text, merged headings, lists and records by name."""

from __future__ import annotations

import pytest

from lbsense.ingest import read_submissions, read_table
from lbsense.model import History


def told(history: History) -> list[tuple[object, ...]]:
    return [
        (item.file_name, item.status, item.cv_score, item.public_score)
        for item in history
    ]


PAGES = {
    "english": (
        "Submission and Description|Private Score |Public Score |Selected",
        "Complete (after deadline) · 2d ago",
        "Error · 5d ago",
    ),
    "japanese": (
        "提出と説明|プライベートスコア|パブリックスコア|選択済み",
        "完了 · 2 日前",
        "エラー · 5 日前",
    ),
    "portuguese": (
        "Envio e descrição|Pontuação privada|Pontuação pública|Selecionado",
        "Concluído · há 2 dias",
        "Erro · há 5 dias",
    ),
    "spanish": (
        "Envío y descripción|Puntuación privada|Puntuación pública",
        "Completado · hace 2 d",
        "Fallido · hace 5 d",
    ),
    "german": (
        "Einreichung und Beschreibung|Private Punktzahl|Öffentliche Punktzahl",
        "Abgeschlossen · vor 2 Tagen",
        "Fehler · vor 5 Tagen",
    ),
    "french": (
        "Soumission et description|Score privé|Score public",
        "Terminé · il y a 2 jours",
        "Erreur · il y a 5 jours",
    ),
    "russian": (
        "Отправка и описание|Приватный балл|Публичный балл",
        "Завершено · 2 дня назад",
        "Ошибка · 5 дней назад",
    ),
    "chinese": (
        "提交和描述|私有分数|公共分数|已选",
        "完成 · 2 天前",
        "错误 · 5 天前",
    ),
    "korean": (
        "제출 및 설명|비공개 점수|공개 점수|선택됨",
        "완료 · 2일 전",
        "오류 · 5일 전",
    ),
}


@pytest.mark.parametrize("language", PAGES)
@pytest.mark.parametrize("gap", ["\n", "\n\n", "\t"])
def test_the_page_of_submissions_copied_in_any_language(
    language: str, gap: str
) -> None:
    heading, complete, failed = PAGES[language]
    between = gap if gap == "\t" else "\n"
    text = between.join(heading.split("|"))
    text += f"\nb.csv\n{complete} · blend, CV 0.8150{gap}0.80250{gap}0.80551{gap}"
    text += f"\nbad.csv\n{failed}\n"
    text += f"\na.csv\n{failed.replace(failed.split()[0], complete.split()[0])}"
    text += f" · CV 0,8123\n0,80010{gap}0,80340\n"
    history = read_submissions(text)
    assert told(history) == [
        ("a.csv", "complete", 0.8123, 0.8034),
        ("bad.csv", "error", None, None),
        ("b.csv", "complete", 0.815, 0.80551),
    ]
    assert [item.private_score for item in history] == [0.8001, None, 0.8025]
    assert history.reading is not None
    assert "newest first" in str(history.reading)
    assert not history.dropped


def test_a_copied_page_that_was_sorted_by_score_is_put_in_order() -> None:
    text = (
        "Submission and Description\nPublic Score\n"
        "b.csv\nComplete · Anna · 3d ago · b\nof two lines\n0.83\n"
        "c.csv\nComplete · Ben · 2h ago · c\n0.82\n"
        "a.csv\nComplete · Anna · 1mo ago · a\n0.81\nShow more\n"
    )
    history = read_submissions(text)
    assert [item.file_name for item in history] == ["a.csv", "b.csv", "c.csv"]
    assert history.submissions[1].description == "b\nof two lines"
    assert [issue.found for issue in history.dropped] == ["Show more"]


def test_scores_of_a_copied_page_are_not_guessed_where_one_is_absent() -> None:
    text = (
        "Submission and Description\nPrivate Score\nPublic Score\n"
        "b.csv\nComplete · 3d ago\n0.83\n"
        "a.csv\nComplete · 4d ago\n0.81\n0.82\n"
    )
    history = read_submissions(text)
    assert [item.public_score for item in history] == [0.82, None]
    (issue,) = history.dropped
    assert (issue.line, issue.action) == (5, "scores taken as missing")


def test_the_page_of_older_years() -> None:
    text = (
        "Submission and Description\nPublic Score\n"
        "submission.csv\n2 days ago by Anna\nwith cv 0.81\n0.80311\n"
        "submission.csv\n9 days ago by Anna\nbaseline\n0.79800\n"
    )
    assert told(read_submissions(text)) == [
        ("submission.csv", "complete", None, 0.798),
        ("submission.csv", "complete", 0.81, 0.80311),
    ]


@pytest.mark.parametrize("mark", ["\t", ";", ","])
def test_a_heading_of_two_lines_is_one(mark: str) -> None:
    lines = [
        "run,Validation,,Leaderboard,,Notes",
        ",AUC,std,public,private,",
        "a,0.801,0.004,0.795,0.793,base",
        "b,0.806,0.003,0.799,0.797,",
    ]
    history = read_table("\n".join(lines).replace(",", mark), metric="auc")
    assert [
        (item.title, item.cv_score, item.cv_std, item.public_score, item.private_score)
        for item in history
    ] == [("a", 0.801, 0.004, 0.795, 0.793), ("b", 0.806, 0.003, 0.799, 0.797)]


def test_an_index_that_counts_down_tells_the_order() -> None:
    text = (
        ",model,cv_f1,lb_f1\n2,xgb,0.611,0.602\n1,lgb2,0.605,0.598\n0,lgb,0.59,0.58\n"
    )
    history = read_table(text)
    assert [item.public_score for item in history] == [0.58, 0.598, 0.602]


def test_records_by_their_names_deep_in_a_document() -> None:
    text = """{"competition": "x", "experiments": {
        "exp1": {"cv": {"mean": 0.801, "std": 0.003}, "lb": {"public": 0.795}},
        "exp2": {"cv": {"mean": 0.806, "std": 0.003}, "lb": {"public": 0.799}}}}"""
    history = read_submissions(text)
    assert [
        (item.submission_id, item.cv_score, item.cv_std, item.public_score)
        for item in history
    ] == [("exp1", 0.801, 0.003, 0.795), ("exp2", 0.806, 0.003, 0.799)]
    alone = '{"cv": {"mean": 0.801, "std": 0.003}, "lb": {"public": 0.795}}'
    assert [item.cv_score for item in read_submissions(alone)] == [0.801]


def test_days_in_the_lines_of_a_list_and_a_line_without_a_score() -> None:
    text = (
        "- **2024-06-04** v3 blend — CV 0.8090, LB 0.8044\n"
        "- **2024-06-02** v2 target encoding — CV 0.8066, LB 0.8001\n"
        "- **2024-06-01** v1 base — CV 0.8011, LB 0.7955\n"
        "- 2024-06-05: v4 not sent — CV 0.8070\n"
    )
    history = read_submissions(text)
    assert [item.description for item in history] == [
        "v1 base",
        "v2 target encoding",
        "v3 blend",
    ]
    assert all(item.submitted_at is not None for item in history)
    assert [issue.line for issue in history.dropped] == [4]


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("CV RMSE (±std)", "cv_score"),
        ("cv +/- std", "cv_score"),
        ("test.public_auc", "public_score"),
        ("team_score_public", "public_score"),
    ],
)
def test_headings_of_trackers_and_notes(heading: str, field: str) -> None:
    other = "LB" if field == "cv_score" else "seconds"
    (item,) = read_table(f"when;name;{heading};{other}\n2024-05-01;a;0.71;0.7\n")
    assert getattr(item, field) == 0.71
    assert item.submitted_at is not None


def test_a_table_that_lies_on_its_side_is_turned() -> None:
    text = (
        "| | lgb v1 | lgb v2 | blend |\n|---|---|---|---|\n| CV | 0.801 | 0.806 | 0.809 |\n"
        "| Public LB | 0.795 | 0.800 | 0.804 |\n| Private LB | 0.794 | 0.799 | 0.802 |\n"
    )
    history = read_submissions(text)
    assert [
        (item.description, item.cv_score, item.public_score, item.private_score)
        for item in history
    ] == [
        ("lgb v1", 0.801, 0.795, 0.794),
        ("lgb v2", 0.806, 0.8, 0.799),
        ("blend", 0.809, 0.804, 0.802),
    ]


def test_the_public_column_names_the_metric_of_the_cv() -> None:
    text = (
        "Model,Val RMSE,Val R2,LB RMSE\nridge,0.412,0.61,0.420\nlgb,0.381,0.67,0.390\n"
    )
    history = read_table(text)
    assert [item.cv_score for item in history] == [0.412, 0.381]
    assert "another metric" in str(history.dropped[0])


@pytest.mark.parametrize("cell", ["~~.803~~ .8035", "<del>0.803</del> 0.8035"])
def test_what_is_struck_out_is_no_score(cell: str) -> None:
    history = read_table(f"exp,LB\na,{cell}\nb,~~0.81~~\n")
    assert [item.public_score for item in history] == [0.8035, 0.81]
