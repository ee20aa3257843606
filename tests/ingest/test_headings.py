"""Headings in thirteen languages and in the words of people who keep a log."""

from __future__ import annotations

import pytest

from lbsense.ingest import read_table
from lbsense.ingest.cv.heading import field_of

PUBLIC = """Public Score|公開スコア|线上分数|線上|A榜|리더보드 점수|공개 점수|лидерборд
    публичный скор|Pontuação pública|Puntuación pública|score public|Öffentlich
    punteggio pubblico|classement public|Kaggle Score|PLB|wynik publiczny|genel skor|điểm công khai
    skor publik|公開分數"""
PRIVATE = """Private|非公開|B榜|비공개 점수|приватный скор|Pontuação privada
    Puntuación privada|score privé|Privat|punteggio privato|wynik prywatny|skor privat"""
CV = """Local CV|線下CV|线下|本地验证|ローカルCV|検証スコア|검증|локальная валидация
    validação|validación|validation croisée|Validierung|交差検証|walidacja|çapraz doğrulama|validasi|本地驗證"""
NAMES = """exp|exp_name|Run|Submission Run|Version|Ver|V|実験名|実験|实验|版本|버전
    실험명|эксперимент|версия|Versuch|experimento|Submission"""
FILES = "提出ファイル|제출 파일|提交文件|Datei|arquivo|fichier|Submission File"
TEXTS = "비고|備考|备注|примечание|Bemerkung|observações|remarques|modèle|Modell|模型"


def names(text):
    return [name.strip() for line in text.splitlines() for name in line.split("|")]


def field(name):
    found = field_of(name)
    return None if found is None else found[0]


@pytest.mark.parametrize("name", names(PUBLIC))
def test_public(name):
    assert field(name) == "public_score"


@pytest.mark.parametrize("name", names(PRIVATE))
def test_private(name):
    assert field(name) == "private_score"


@pytest.mark.parametrize("name", names(CV))
def test_cv(name):
    assert field(name) == "cv_score"


@pytest.mark.parametrize("name", names(NAMES))
def test_names(name):
    assert field(name) == "experiment_id"


@pytest.mark.parametrize("name", names(FILES))
def test_files(name):
    assert field(name) == "file_name"


@pytest.mark.parametrize("name", names(TEXTS))
def test_texts(name):
    assert field(name) == "description"


@pytest.mark.parametrize("name", ["data", "training time", "lb_delta", "n_features"])
def test_what_is_no_field(name):
    assert field(name) is None


def test_a_row_without_a_public_score_is_neither_failed_nor_pending():
    text = (
        "| exp | CV | LB | memo |\n|---|---|---|---|\n| 1 | 0.81 | 0.80 | base |\n"
        "| 2 | 0.82 | | an idea |\n| 3 | 0.83 | pending | sent |\n"
    )
    history = read_table(text, metric="f1")
    assert [item.status for item in history] == ["complete", "unknown", "pending"]
