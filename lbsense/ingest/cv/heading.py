"""What the heading of a column says of a CV score, in English and other languages."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from lbsense.ingest.cv.words import KEYWORDS, KINDS, Role, Token, tokenize
from lbsense.metrics import Metric, find_metric

# English word to the words for it. Latin ones are whole words without their accents;
# those of other alphabets are the beginning of a word, or a part of one where words are
# not divided. What means something else in English, such as "data", has no place.
_WORDS_FOR = {
    "public": """publico publica publique offentlich offentliche offentlicher
        pubblico pubblica publiczny publiczna publik publieke genel khai 公開 公开
        공개 パブリック 퍼블릭 публичн паблик открыт""",
    "private": """prywatny prywatna ozel rieng privado privada prive privee privat
        private privater privato privata 非公開 非公开 私有 プライベート 비공개
        프라이빗 приват закрыт""",
    "leaderboard": """clasificacion classement rangliste bestenliste classifica 线上
        線上 榜单 リーダーボード 順位表 리더보드 лидерборд""",
    "score": """skor puan wynik diem nilai puntuacion puntaje pontuacao punktzahl
        punteggio スコア 得点 点数 分数 得分 分數 成绩 成績 점수 스코어 скор балл
        оценк""",
    "cv": "交差検証 交叉验证 交叉驗證 교차검증 кроссвалид",
    "validation": """validacion validacao validazione validierung validatie
        walidacja validasi dogrulama 検証 验证 驗證 검증 валид""",
    "cross": "cruzada croisee incrociata kreuz krzyzowa capraz",
    "local": """lokalny lokalna yerel lokal lokale lokaler locale 线下 線下 本地
        ローカル 로컬 локальн""",
    "mean": "moyenne mittel mittelwert durchschnitt 平均 평균 средн",
    "experiment": """experimento esperimento versuch eksperyment deney percobaan
        実験 实验 實驗 실험 эксперимент""",
    "run": "ejecucion execucao lauf durchlauf esecuzione 実行 运行 실행 запуск прогон",
    "version": "versao versione fassung バージョン 版本 버전 верси",
    "model": "modelo modele modell modello hinh モデル 模型 모델 модел",
    "submission": """envio entrega zgloszenie gonderim nop soumission einreichung
        abgabe invio submissao 提出 提交 投稿 제출 отправк посылк сабмит""",
    "file": "archivo fichero arquivo fichier datei ファイル 文件 파일 файл",
    "name": "nombre nome nom nazwa nama 名前 名称 名 이름 명 имя назван",
    "date": "fecha datum tarih tanggal ngay 日期 日付 날짜 일자 дат",
    "time": "hora heure uhrzeit zeit zeitpunkt 日時 時刻 時間 时间 일시 시간 시각 врем",
    "description": """opis aciklama descripcion descricao beschreibung descrizione
        説明 说明 描述 内容 설명 내용 описан""",
    "note": """nota notas notiz notizen anmerkung anmerkungen bemerkung bemerkungen
        remarque remarques observacion observaciones observacao observacoes
        comentario comentarios commentaire kommentar kommentare commento 備考 备注
        備註 メモ コメント 비고 메모 примечан комментари заметк""",
    "approach": "enfoque ansatz approche 方案 手法 方法 방법 подход",
    "change": "cambio cambios anderung anderungen changement 変更 变更 변경 изменен",
    "status": "estado etat zustand stato 状態 状态 상태 статус состояни",
    "number": "numero nummer 番号 序号 编号 번호 номер",
}
_SMALL_WORDS = (
    "de do da del della des du der die das la le el il les of for the per cong mo"
)
_SMALL = frozenset(_SMALL_WORDS.split())
_BOARDS = {"a榜": ("public", "leaderboard"), "b榜": ("private", "leaderboard")}
_ENGLISH = {
    word: english for english, words in _WORDS_FOR.items() for word in words.split()
}
_LATIN = re.compile("[a-z]+[0-9]*|[0-9]+")
_TOKEN = re.compile("[a-z]榜|[a-z]+[0-9]*|[0-9]+|[\u0400-\u04ff]+|[^\\W\\d_a-z]+")
_UNDIVIDED = sorted(
    (word for word in _ENGLISH if word[0] >= "\u1100"), key=len, reverse=True
)
_PARTS = re.compile("|".join(map(re.escape, _UNDIVIDED)))
_UNDIVIDABLE = str.maketrans("đłıøæ", "dlioa")  # letters whose stroke is no accent
_SHORTEST_STEM = 3


@functools.lru_cache(maxsize=4096)
def heading_words(name: str) -> tuple[str, ...]:
    """Return the words of a heading, in lower case, those that are known in English.

    Examples
    --------
    >>> heading_words("Public Score"), heading_words("Pontuação pública")
    (('public', 'score'), ('score', 'public'))
    >>> heading_words("제출 파일"), heading_words("線下CV")
    (('submission', 'file'), ('local', 'cv'))
    """
    text = unicodedata.normalize("NFKC", name)
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower()
    if text.isascii():
        plain = _LATIN.findall(text)
        if _ENGLISH.keys().isdisjoint(plain):
            return tuple(plain)
    words: list[str] = []
    for token in _TOKEN.findall(_without_accents(text)):
        words += _translated(token)
    return tuple(word for word in words if word not in _SMALL) or tuple(words)


def _translated(token: str) -> tuple[str, ...]:
    if token in _BOARDS:
        return _BOARDS[token]
    if token in _ENGLISH:
        return (_ENGLISH[token],)
    if token[0] >= "\u1100":
        return _in_parts(token)
    if token[0] >= "\u0400":
        stems = (token[:end] for end in range(len(token), _SHORTEST_STEM - 1, -1))
        known = next((stem for stem in stems if stem in _ENGLISH), None)
        return (token,) if known is None else (_ENGLISH[known],)
    return (token,)


def _in_parts(token: str) -> tuple[str, ...]:
    """Return the words of a script that does not divide them, the rest as it stands."""
    found: list[str] = []
    at = 0
    for part in _PARTS.finditer(token):
        found += [token[at : part.start()], _ENGLISH[part.group()]]
        at = part.end()
    return tuple(word for word in (*found, token[at:]) if word)


def _without_accents(text: str) -> str:
    """Return the text without the accents of Latin letters; those of kana are kept."""
    parts = unicodedata.normalize("NFD", text)
    kept = "".join(c for c in parts if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", kept).translate(_UNDIVIDABLE)


_PREFIX = re.compile(r"(?:metrics|extras|sys|summary|eval|tags)[./]", re.IGNORECASE)
_PAIR = re.compile(r"±|\+/-|\+-|[(,/&]")  # "Mean ± Std", "CV mean (std)"
_BRACKETS = re.compile(r"\([^()]*+\)|\[[^\[\]]*+\]")
_LONGEST = 80
_SCORE_LIST = """
    score scores value result results skor puntaje nota wert スコア 分数 得分 成绩 값
    점수"""
_SCORE_WORDS = frozenset(_SCORE_LIST.split())
_QUALIFIED_LIST = "best final overall all full total whole our my own s the of on"
_QUALIFIED = frozenset(_QUALIFIED_LIST.split())
_OTHER_LIST = """
    size sizes num number count counts time times rank id ids strategy type scheme date
    name names file path link comment note notes params lr status"""
# Words that make another quantity of the number in the column.
_OTHER = frozenset(_OTHER_LIST.split())
_BESIDE = {Role.KEYWORD, Role.MEAN, Role.SCHEME}
_NEVER = {
    Role.BOARD,
    Role.SET,
    Role.DELTA,
    Role.EARLIER,
    Role.EXTREME,
    Role.NEGATION,
    Role.UNIT,
    Role.FOREIGN,
}


class Surety(IntEnum):
    """How surely a heading names the CV score."""

    LITERAL = 0  # "CV", "Local CV", "cv_avg_score"
    CLEAR = 1  # "OOF", "valid_auc", "Mean ± Std"
    QUALIFIED = 2  # "All CV", "best CV"
    POSSIBLE = 3  # "Subset CV", "auc"


@dataclass(frozen=True, slots=True)
class CvHeading:
    """A heading that may be that of a CV score.

    Attributes
    ----------
    scheme : str
        Kind of validation: "cv", "oof", "loo", "holdout", "validation", ...
    metric : str or None
        The metric that it names, as it is written there.
    surety : Surety
        How surely it is the CV score of the row.
    """

    scheme: str
    metric: str | None
    surety: Surety

    @property
    def known_metric(self) -> Metric | None:
        """The registered metric that it names, if any."""
        return None if self.metric is None else metric_of_heading(self.metric)


@dataclass(frozen=True, slots=True)
class CvChoice:
    """The column of the CV score, and those passed over.

    ``rivals`` could be the CV as well, ``foreign`` are of another metric; without a
    chosen one, nothing tells the rivals apart.
    """

    chosen: int | None
    rivals: tuple[int, ...] = ()
    foreign: tuple[int, ...] = ()


def plain_heading(name: str) -> str:
    """Return a heading as separate words: "metrics.valAuc_mean" is "val Auc mean"."""
    text = _PREFIX.sub("", unicodedata.normalize("NFKC", name))
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    text = text.replace("교차 검증", "교차검증")
    return re.sub(r"[_.\s]+", " ", text).strip()


@functools.lru_cache(maxsize=4096)
def cv_heading(name: str) -> CvHeading | None:
    """Return what a heading says of a CV score, None where it is another quantity.

    Examples
    --------
    >>> cv_heading("CV MAE (Mean ± Std)")
    CvHeading(scheme='cv', metric='mae', surety=<Surety.CLEAR: 1>)
    >>> cv_heading("cv_gap") is None, cv_heading("n_folds") is None
    (True, True)
    """
    text = plain_heading(name)
    if not text or len(text) > _LONGEST:
        return None
    found = _read(text) or _read(" ".join(heading_words(text)))
    if found is not None and found.surety < Surety.POSSIBLE:
        return found
    outside, inside = _BRACKETS.sub(" ", text), " ".join(_BRACKETS.findall(text))
    roles = {token.role for token in tokenize(inside) if token.kind == "word"}
    if Role.UNKNOWN not in roles or roles & _NEVER:
        return found
    plain = _read(outside)  # "Local CV (Std Dev)": what stands in brackets explains
    if plain is None or plain.surety is Surety.POSSIBLE:
        return found
    return CvHeading(plain.scheme, plain.metric, Surety.QUALIFIED)


def _read(text: str) -> CvHeading | None:
    tokens = tokenize(text)
    words = [token for token in tokens if token.kind == "word"]
    numbers = [token for token in tokens if token.kind == "number"]
    rest = " ".join(token.text for token in words if token.role not in _BESIDE)
    named = metric_of_heading(rest) if rest else None
    if named is not None and len(rest.split()) > 1:  # "CV linear kappa"
        words = [token for token in words if token.role in _BESIDE]
    roles = {token.role for token in words}
    if roles & _NEVER or any(token.text in _OTHER for token in words):
        return None
    if not _folds_fit(words, numbers):
        return None
    pair = Role.MEAN in roles and _PAIR.search(text) is not None
    pair &= Role.SPREAD in roles or any(token.kind == "spread" for token in tokens)
    if Role.SPREAD in roles and not pair:
        return None
    kinds = [KEYWORDS[token.text] for token in words if token.text in KEYWORDS]
    folded = Role.SCHEME in roles and Role.MEAN in roles
    if "grid search" in kinds:
        return None
    metric = " ".join(t.text for t in words if t.role is Role.METRIC) or None
    metric = metric if named is None else rest
    if not (kinds or folded or pair):
        possible = metric is not None and metric_of_heading(metric) is not None
        if not possible or not all(_belongs(token) for token in words):
            return None
        return CvHeading("cv", metric, Surety.POSSIBLE)
    scheme = min(kinds or ["fold" if folded else "cv"], key=KINDS.index)
    scheme = "cv" if set(kinds) == {"local", "cv"} else scheme
    surety = _surety(words, set(kinds))
    if metric is not None and surety is Surety.LITERAL:
        surety = Surety.CLEAR
    return CvHeading(scheme, metric, surety)


def _folds_fit(words: list[Token], numbers: list[Token]) -> bool:
    """Say whether numbers and words such as "fold" only tell how the CV was made."""
    folds = any(token.role is Role.SCHEME for token in words)
    mean = any(token.role is Role.MEAN for token in words)
    counted = all(token.decimals == 0 and len(token.text) <= 3 for token in numbers)
    if folds:
        return (mean or bool(numbers)) and counted and len(numbers) <= 1
    return counted and len(numbers) <= 1


def _belongs(token: Token) -> bool:
    """Say whether a word only says "score of a validation"."""
    known = (Role.KEYWORD, Role.METRIC, Role.MEAN, Role.SCHEME, Role.SPREAD)
    return token.role in known or token.text in _SCORE_WORDS


def _surety(words: list[Token], kinds: set[str]) -> Surety:
    others = [token.text for token in words if not _belongs(token)]
    if any(word not in _QUALIFIED for word in others):
        return Surety.POSSIBLE
    if others:
        return Surety.QUALIFIED
    plain = not any(token.role in (Role.METRIC, Role.SPREAD) for token in words)
    literal = "cv" in kinds and kinds <= {"cv", "local"} and plain
    return Surety.LITERAL if literal else Surety.CLEAR


def is_metric_word(word: str) -> bool:
    """Say whether a word of a heading belongs to the name of a metric."""
    token = Token("word", word, 0, 0)
    return token.role in (Role.METRIC, Role.MEAN) or word in _SCORE_WORDS


@functools.lru_cache(maxsize=1024)
def metric_of_heading(words: str) -> Metric | None:
    """Return the registered metric that the words of a heading name, or None."""
    try:
        return find_metric(words)
    except ValueError:
        return None


def choose_cv(
    headings: Mapping[int, CvHeading],
    metric: str | None,
    *,
    literal: bool = True,
) -> CvChoice:
    """Return which of several columns of numbers is the CV score, if that is certain.

    The one that names the metric of the competition is; those of another metric are
    not. Else it is the only one whose heading is sure; ``literal`` is whether one that
    is called CV goes before one that is called OOF or holdout.

    Examples
    --------
    >>> names = ("CV (AUC)", "CV (logloss)")
    >>> found = {place: cv_heading(name) for place, name in enumerate(names)}
    >>> choose_cv(found, "log_loss")
    CvChoice(chosen=1, rivals=(), foreign=(0,))
    """
    ours = None if metric is None else metric_of_heading(metric)
    known = {at: heading.known_metric for at, heading in headings.items()}
    foreign = tuple(
        at
        for at, found in known.items()
        if ours is not None and found is not None and not _same(found, ours)
    )
    left = {at: head for at, head in headings.items() if at not in foreign}
    sure = {at: head for at, head in left.items() if head.surety < Surety.POSSIBLE}
    of_metric = [at for at in sure if ours is not None and known[at] is not None]
    named = [at for at, head in sure.items() if head.surety is Surety.LITERAL]
    if len(of_metric) == 1:
        chosen = of_metric[0]
    elif literal and len(named) == 1 and not of_metric:
        chosen = named[0]
    elif len(sure) == 1:
        (chosen,) = sure
        doubtful = sure[chosen].surety is Surety.QUALIFIED
        if doubtful and _says_validation(left, chosen):
            return CvChoice(None, tuple(left), foreign)
    else:
        return CvChoice(None, tuple(left), foreign)
    return CvChoice(chosen, tuple(at for at in left if at != chosen), foreign)


def _same(one: Metric, other: Metric) -> bool:
    return (one.family, one.parameter) == (other.family, other.parameter)


def _says_validation(left: Mapping[int, CvHeading], chosen: int) -> bool:
    """Say whether another column speaks of the same validation in words of its own."""
    scheme = left[chosen].scheme
    return any(at != chosen and head.scheme == scheme for at, head in left.items())
