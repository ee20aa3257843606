"""Words of known meaning in many languages, and a text as words, numbers and marks."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from lbsense.metrics import METRICS, Metric

# English word to the words for it. Latin ones are whole words without their accents;
# those of other alphabets are the beginning of a word, or a part of one where words are
# not divided. What means something else in English, such as "data", has no place.
_WORDS_FOR = {
    "public": """publico publica publique offentlich offentliche offentlicher
        pubblico pubblica publiczny publiczna publik publieke genel khai 公開 公开 公共
        공개 パブリック 퍼블릭 публичн паблик открыт""",
    "private": """prywatny prywatna ozel rieng privado privada prive privee privat
        private privater privato privata 非公開 非公开 私有 プライベート 비공개
        프라이빗 приват закрыт""",
    "leaderboard": """clasificacion classement rangliste bestenliste classifica 线上
        線上 榜单 リーダーボード 順位表 리더보드 лидерборд""",
    "score": """skor puan wynik diem nilai puntuacion puntaje pontuacao punktzahl
        punteggio スコア 得点 点数 分数 得分 分數 成绩 成績 점수 스코어 скор балл
        оценк""",
    "cv": """
        kreuzvalidierung kreuzvalidiert クロスバリデーション 交差検証 交叉验证
        交叉驗證 교차검증 кроссвал""",
    "validation": """validacion validacao validazione validierung validatie
        walidacja validasi dogrulama バリデーション 検証 验证 驗證 검증 валид""",
    "holdout": "ホールドアウト 홀드아웃 отложен",
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
    "file": "archivo fichero arquivo fichier datei ファイル 文件 檔案 파일 файл",
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
_PIECE = re.compile("[a-z]榜|[a-z]+[0-9]*|[0-9]+|[\u0400-\u04ff]+|[^\\W\\d_a-z]+")
_UNDIVIDED = sorted(
    (word for word in _ENGLISH if word[0] >= "\u1100"), key=len, reverse=True
)
_PARTS = re.compile("|".join(map(re.escape, _UNDIVIDED)))
CJK_ENGLISH = frozenset(_UNDIVIDED)
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
    for token in _PIECE.findall(_without_accents(text)):
        words += _translated(token)
    return tuple(word for word in words if word not in _SMALL) or tuple(words)


def _translated(token: str) -> tuple[str, ...]:
    if token in _BOARDS:
        return _BOARDS[token]
    if token in _ENGLISH:
        return (_ENGLISH[token],)
    if token.startswith("validierungs"):  # ...fehler, ...genauigkeit
        return ("validation",)
    if token[0] >= "\u1100":
        return _in_parts(token)
    if token[0] >= "\u0400":
        stems = (token[:end] for end in range(len(token), _SHORTEST_STEM - 1, -1))
        known = next((stem for stem in stems if stem in _ENGLISH), None)
        return (token,) if known is None else (_ENGLISH[known],)
    return (token,)


def in_english(word: str) -> str:
    """Return the English word for one in lower case, or the word as it stands.

    Examples
    --------
    >>> in_english("validação"), in_english("локальной"), in_english("线下")
    ('validation', 'local', 'local')
    """
    if word.isascii() and not word.startswith("validierungs"):
        return _ENGLISH.get(word, word)
    found = _translated(_without_accents(word))
    return found[0] if len(found) == 1 and found[0].isascii() else word


def n_known(text: str) -> int:
    """Return how many words of a text are known that are not in Latin letters."""
    parts = [part for part in _PARTS.finditer(text) if len(part.group()) > 1]
    words: list[str] = re.findall("[\u0400-\u04ff]{4,20}", text.lower())
    return len(parts) + sum(in_english(word) != word for word in words)


def _in_parts(token: str) -> tuple[str, ...]:
    """Return the words of a script that does not divide them, the rest as it stands."""
    found: list[str] = []
    at = 0
    for part in _PARTS.finditer(token):
        found += [token[at : part.start()], _ENGLISH[part.group()]]
        at = part.end()
    return tuple(word for word in (*found, token[at:]) if word)


def _without_accents(text: str) -> str:
    """Return the text without the accents of Latin letters; other ones are kept."""
    parts = unicodedata.normalize("NFD", text)
    plain = re.sub("(?<=[a-zA-Z])[\u0300-\u036f]+", "", parts)
    return unicodedata.normalize("NFC", plain).translate(_UNDIVIDABLE)


# --- a text as tokens ----------------------------------------------------------------

# Tokens that a rule looks at on one side of a number: the reader stays linear.
REACH = 24


class Role(Enum):
    """What a word says about the number beside it."""

    KEYWORD = "keyword"  # cv, oof, holdout: a validation score
    BOARD = "board"  # lb, public: a leaderboard score
    SET = "set"  # train, test, kaggle: another score, unless "cv" stands nearer
    METRIC = "metric"
    MEAN = "mean"
    FILLER = "filler"  # may stand between a keyword and its number
    MODEL = "model"  # as a filler, but "lgb=0.6" is a weight
    SCHEME = "scheme"  # fold, seed: a whole number beside it is a count
    SPREAD = "spread"
    EXTREME = "extreme"  # the best or the worst fold is not the CV
    DELTA = "delta"
    EARLIER = "earlier"  # a value to compare with
    FOREIGN = "foreign"  # somebody else's, wherever it stands in the clause
    COPIED = "copied"  # somebody else's, when it stands before the keyword
    NEGATION = "negation"
    UNIT = "unit"
    UNKNOWN = "unknown"


# Families of keywords. The order is the precedence within one label ("local LOO-CV").
KINDS = ("loo", "oof", "holdout", "cv", "fold", "validation", "local", "grid search")

_KEYWORD_TABLE = {
    "cv": "cv cvs xval crossval crossvalidation crossvalidated tscv lcv backtest кв",
    "oof": "oof oofs outoffold",
    "loo": "loo loocv leaveoneout",
    "holdout": "holdout heldout",
    "validation": "val valid validation validated eval vl va dev вал",
    "local": "local locally offline 手元 离线 離線 オフライン 오프라인",
    "grid search": "gs gridsearchcv randomizedsearchcv randomsearchcv",
}
KEYWORDS = {
    word: kind for kind, words in _KEYWORD_TABLE.items() for word in words.split()
}

_ROLE_TABLE = {
    Role.UNIT: """
        s sec secs second seconds ms mins minute minutes h hr hrs hour hours day
        days gb mb percent pct epoch epochs wells rows features feats samples trees
        iterations rounds targets threshold thresholds thresh thr th weight weights
        wt dropout ratio rate lr alpha temperature frac fraction quantile""",
    Role.FILLER: """
        score scores is was = of at about approx approximately around ca circa now
        to gives give giving got gets get reached reaches hit hits scored scoring
        shows overall final total result results value best new our my own the a an
        this covered covers full all whole matched raw clean honest estimate
        estimated metric on in with for over across single median pooled global
        tuned calibrated postprocessed pp rounded nested repeated stratified grouped
        group purged est de do da dos das des der del por по на с выборка sur nota
        wert 今回 本次 이번 теперь agora ahora maintenant jetzt 最好 最佳 最高 最终
        最終 ベスト 최고 최종 分 see sees seeing achieve achieves achieved achieving
        yields yielding produces obtained still only just even measured 到 至 値 集
        は が の で も を に 約 约 为 是 로 은 는 이 가 стало стал становится
        получился получилось set say says""",
    Role.MODEL: """
        blend blended blending ensemble ensembled stack stacked stacking lgb lgbm
        lightgbm xgb xgboost cat catboost cb nn mlp cnn rnn lstm gru tcn transformer
        bert deberta roberta ridge lasso logreg linear svm svr knn rf et gbm gbdt
        hgb tabnet model models base baseline meta unet resnet efficientnet vit swin
        merged hybrid ens mix mixed weighted unweighted""",
    Role.SCHEME: """
        fold folds kfold kf skf sk gkf sgkf skfold stratifiedkfold groupkfold
        stratifiedgroupkfold timeseriessplit split splits seed seeds repeat repeats
        k n bag bags f skfcv gkfcv kfcv 折 фолд фолда фолдов фолдам фолды 폴드
        フォールド 分割 pli plis dobra dobras pliegues fach""",
    Role.NEGATION: "no non not without never sans kein ohne sin без なし 没有",
    Role.FOREIGN: """
        their theirs his her hers someone somebody others author authors winner winners
        rival competitor whose incumbent incumbents twin twins sibling parent parents
        champion predecessor teammate teammates colleague""",
    Role.COPIED: """
        kernel kernels notebook notebooks paper original reported published claimed
        claims claim forum discussion upstream teacher pseudo expecting hoped hoping
        aiming want wanted need needed solo member members component components sent
        naive leaky reach require required requires needs must reference priori nb nbs
        should would could might hopefully""",
    Role.EARLIER: """
        vs versus than against were prev previous previously old older before from
        было 从 avant vorher antes former last earlier compared beat beats beating
        target goal expected expect aim above below under until 以前 前回 之前 から
        에서 上次 지난번 이전 раньше ранее davor zuvor anterior précédent""",
    Role.DELTA: """
        gap delta diff difference gain gains gained improvement improve improved
        improves improving increase increased increases decrease decreased decreases
        drop dropped drops up down better worse higher lower change changed changes
        by falls rises climbs climbed jumps jumped lifts lifted raises raised
        reaches reached margin plus minus loses lost rose fell lowered pushed
        brought slipped went goes moved shakeup boost boosts cost costs worth
        boosted δ 差 向上 悪化 改善 提升 下降 上が 下が 上昇 涨 降 提高 降低 상승
        하락 올랐 내렸 떨어졌 개선 улучшение mejora melhora amélioration""",
    Role.EXTREME: "min max minimum maximum worst lowest highest range",
    Role.SPREAD: "std sd stdev stddev sigma se sem var variance spread deviation",
    Role.MEAN: "mean avg average averaged moyenne media média médio promedio "
    "mittelwert 均值",
    # Words within the names of metrics, and names that stand for several or none; the
    # names themselves come from their records.
    Role.METRIC: """
        ce corr correlation ece err error f2 gini hamming kappa log loss map mase
        nrmse pr rmsse rps bpb ic ll lll map50 map95 sharpe wrmse wrmsse macro micro
        neg binary logarithmic squared absolute""",
    Role.SET: """
        kaggle zindi real online actual test tst train trn tr training insample
        apparent 提出 训练 学習 학습 제출""",
    Role.BOARD: """
        lb plb pl pb public publiclb privatelb private priv pub pv leaderboard board
        лб""",
    Role.KEYWORD: " ".join(KEYWORDS),
}
_ROLES = {word: role for role, words in _ROLE_TABLE.items() for word in words.split()}
# In a text they are regularisers oftener than metrics.
_NO_METRICS = frozenset(("l1", "l2"))
_ROLES |= {
    word: Role.METRIC
    for metric in METRICS.values()
    for word in metric.written - _NO_METRICS - _ROLES.keys()
}

# Words that are written apart, or joined by "-" and "_", and mean one thing.
_PHRASES: dict[tuple[str, ...], str] = {
    ("held", "out"): "heldout",
    ("hold", "out"): "holdout",
    ("out", "of", "fold"): "outoffold",
    ("out", "of", "folds"): "outoffold",
    ("leave", "one", "out"): "leaveoneout",
    ("cross", "validation"): "crossvalidation",
    ("cross", "validated"): "crossvalidation",
    ("cross", "val"): "crossval",
    ("team", "mate"): "teammate",
    ("in", "sample"): "insample",
    ("validation", "cross"): "crossvalidation",
    ("standard", "dev"): "stddev",
    ("std", "dev"): "stddev",
    ("st", "dev"): "stddev",
}


def _metric_phrases() -> Iterator[tuple[str, ...]]:
    """Yield the names of metrics that their single words would not let through.

    "mean squared error" needs no phrase, for each of its words may stand between a
    keyword and a number; "root mean squared error" does.
    """
    passing = {Role.FILLER, Role.MODEL, Role.METRIC, Role.MEAN}
    for metric in METRICS.values():
        for name in (metric.name, *metric.aliases):
            words = tuple(re.findall(r"[^\W\d_]+\d*|\d+", name.lower()))
            stops = any(role_of(word) not in passing for word in words)
            if stops and len(words) > 1 and words[0].isalpha():
                yield words


def role_of(word: str) -> Role:
    """Return the role of a lower-case word."""
    return _ROLES.get(word, Role.UNKNOWN)


_PHRASES |= {words: " ".join(words) for words in _metric_phrases()}
_ROLES |= {name: Role.METRIC for name in _PHRASES.values() if " " in name}
_PHRASES_BY_HEAD: dict[str, list[tuple[str, ...]]] = {}
for _phrase in sorted(_PHRASES, key=len):
    _PHRASES_BY_HEAD.setdefault(_phrase[0], []).append(_phrase)

# Scores of at most 1: a whole number beside them can only have lost its decimal point.
BOUNDED_METRICS = frozenset(
    word for metric in METRICS.values() if metric.high <= 1 for word in metric.written
) | {"f2", "gini", "kappa", "map"}
# Errors in the unit of the target: a whole number may stand as it is.
UNBOUNDED_METRICS = frozenset(
    word
    for metric in METRICS.values()
    if metric.in_target_unit
    for word in metric.written
) | {"mase", "rmsse", "wrmse"}

CJK_WORDS = sorted(
    {word for word in (*_ROLES, *CJK_ENGLISH) if min(word) >= "\u3000"},
    key=lambda word: (-len(word), word),
)

_LONGEST = 24
# What words of other languages say of a score; the others stay as they are.
_FROM_OTHERS = {
    *("public", "private", "leaderboard", "score", "cv", "validation", "holdout"),
    *("cross", "local", "mean"),
}
_PREFIXES = frozenset(("new", "old", "prev", "my", "our", "loc"))
_COMPOUND_ROLES = {Role.KEYWORD, Role.BOARD, Role.METRIC}
_COMPOUND_ROLES |= {Role.MEAN, Role.SPREAD, Role.SET}


def split_compound(word: str) -> tuple[str, ...]:
    """Return the parts of a lower-case word such as "cvscore", or the word alone.

    A keyword must stand at one end and the rest must be a word that goes with it, so
    that "rfecv" stays whole.
    """
    if word in _ROLES or len(word) > _LONGEST:
        return (word,)
    english = in_english(word)
    if english in _FROM_OTHERS:
        return (english,)
    for cut in range(2, len(word) - 1):
        head, tail = word[:cut], word[cut:]
        if head in KEYWORDS and (_goes_with(tail) or tail in ("score", "scores")):
            return (head, tail)
        if tail in KEYWORDS and (_goes_with(head) or head in _PREFIXES):
            return (head, tail)
    return (word,)


def _goes_with(word: str) -> bool:
    return _ROLES.get(word) in _COMPOUND_ROLES


_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]++(?!\.[0-9]))(?:[eE][+-]?[0-9]{1,3}(?![^\W_]))?)"
    r"|(?P<arrow>[-=~]{1,2}>|[→⇒➜➡⟶↦]|>>)"
    r"|(?P<spread>±|\+/-|\+-|-/\+)"
    rf"|(?P<cjk>{'|'.join(CJK_WORDS)}|[\u3005-\u30ff\u3400-\u9fff\uac00-\ud7a3])"
    r"|(?P<word>[^\W\d_\u3005-\u30ff\u3400-\u9fff\uac00-\ud7a3]+)"
    r"|(?P<newline>[^\S\n]*\n\s*)"
    r"|(?P<space>\s+)"
    r"|(?P<mark>.)"
)
_LOOKALIKES = str.maketrans(
    {
        "【": "[",
        "】": "]",
        "「": "[",
        "」": "]",
        "–": "—",
        "―": "—",
        "‐": "-",
        "‑": "-",
        "“": '"',
        "”": '"',
    }
    | {"‘": "'", "’": "'", "、": ",", "。": ";", "≃": "≈", "∼": "~", "・": " "}
)
_CYRILLIC = str.maketrans("асеорхукмтвн", "aceopxykmtbh")
_GROUP_SPACES = " \u00a0\u2009\u202f'"


@dataclass(slots=True)
class Token:
    """One piece of the text; ``kind`` is the name of its group in the pattern.

    ``role`` is what the word says about the number beside it.
    """

    kind: str
    text: str
    start: int
    end: int
    value: float = 0.0
    decimals: int = 0
    grouped: bool = False
    role: Role = field(init=False)

    def __post_init__(self) -> None:
        self.role = role_of(self.text) if self.kind == "word" else Role.UNKNOWN


def tokenize(text: str) -> list[Token]:
    """Return the tokens of ``text``; places refer to the text as it was given."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(_fold(text)):
        kind, found = match.lastgroup or "mark", match.group()
        if kind == "word":
            start = match.start()
            for part in split_compound(_one_script(found.lower())):
                end = min(start + len(part), match.end())
                tokens.append(Token("word", part, start, end))
                start = end
            tokens[-1].end = match.end()
        elif kind == "cjk":
            english = in_english(found)
            known = english if english in _FROM_OTHERS else found
            tokens.append(Token("word", known, *match.span()))
        elif kind == "number":
            tokens.append(_number(found, *match.span()))
        else:
            tokens.append(Token(kind, found, *match.span()))
    return _join_phrases(_join_numbers(tokens))


def _one_script(word: str) -> str:
    """Return a Latin word without the Cyrillic letters that look like its own."""
    if word.isascii() or not any("a" <= char <= "z" for char in word):
        return word
    plain = word.translate(_CYRILLIC)
    return plain if plain.isascii() else word


def _fold(text: str) -> str:
    """Return the text with its full-width forms made plain, character for character."""
    if text.isascii():
        return text
    folded = (unicodedata.normalize("NFKC", char) for char in text)
    plain = "".join(
        new if len(new) == 1 else old for old, new in zip(text, folded, strict=True)
    )
    return plain.translate(_LOOKALIKES)


def _number(text: str, start: int, end: int) -> Token:
    mantissa = text.lower().partition("e")[0]
    decimals = len(mantissa.partition(".")[2])
    return Token("number", text, start, end, float(text), decimals)


def _join_numbers(tokens: list[Token]) -> list[Token]:
    """Join "0,8123", "0p8123" and "98 440", and the digit of "f1" to its letter."""
    joined: list[Token] = []
    index = 0
    while index < len(tokens):
        token, size = tokens[index], 1
        if token.kind == "number" and token.decimals == 0:
            word = joined.pop() if joined and joined[-1].kind == "word" else None
            if word is not None:
                name = word.text + token.text
                if role_of(name) is Role.METRIC:
                    joined.append(Token("word", name, word.start, token.end))
                    index += 1
                    continue
                joined += _apart(word, token)
                if joined[-1].role is Role.METRIC:
                    index += 1
                    continue
            found = _decimal_comma(tokens, index, word)
            if found is None and word is None:
                found = _thousands(tokens, index)
            token, size = found or (token, 1)
        joined.append(token)
        index += size
    return joined


def _apart(word: Token, digit: Token) -> list[Token]:
    """Return the words of "valF1": a keyword and a metric with its digit."""
    cut = next((n for n in (3, 2) if word.text[:n] in KEYWORDS), len(word.text))
    head, name = word.text[:cut], word.text[cut:] + digit.text
    if cut >= len(word.text) or role_of(name) is not Role.METRIC:
        return [word]
    middle = word.start + cut
    return [
        Token("word", head, word.start, middle),
        Token("word", name, middle, digit.end),
    ]


def _decimal_comma(
    tokens: list[Token], index: int, word: Token | None
) -> tuple[Token, int] | None:
    """Return 0.8123 for "0,8123", "0p8123" and "cv0_8123", else None."""
    if index + 2 >= len(tokens):
        return None
    whole, mark, part = tokens[index : index + 3]
    if part.kind != "number" or not part.text.isdigit() or len(whole.text) > 2:
        return None
    comma = mark.text == "," and whole.text == "0" and len(part.text) >= 2
    letter = mark.kind == "word" and mark.text == "p"
    named = mark.text == "_" and whole.text == "0" and len(part.text) >= 4
    named &= word is not None and word.role in (Role.KEYWORD, Role.METRIC)
    if not (comma or letter or named):
        return None
    return _number(f"{whole.text}.{part.text}", whole.start, part.end), 3


def _thousands(tokens: list[Token], index: int) -> tuple[Token, int] | None:
    """Join digits in groups of three, where two groups or a spread vouch for it."""
    first = tokens[index]
    digits, last = first.text, index
    if not first.text.isdigit() or len(digits) > 3:
        return None
    if index + 2 < len(tokens) and tokens[index + 1].text == "," and digits[0] != "0":
        part = tokens[index + 2]
        if part.decimals and re.fullmatch(r"[0-9]{3}\.[0-9]+", part.text):
            return _number(digits + part.text, first.start, part.end), 3  # 13,902.4
    while last + 2 < len(tokens) and len(digits) < 15:
        gap, group = tokens[last + 1], tokens[last + 2]
        glue = gap.text in _GROUP_SPACES or gap.text == ","
        if len(gap.text) != 1 or not glue or group.kind != "number":
            break
        if not (group.text.isdigit() and len(group.text) == 3):
            break
        digits += group.text
        last += 2
    n_groups = (last - index) // 2
    after = next((t for t in tokens[last + 1 : last + 3] if t.kind != "space"), None)
    before = next(
        (t for t in tokens[max(0, index - 2) : index][::-1] if t.kind != "space"), None
    )
    vouched = any(t is not None and t.kind == "spread" for t in (after, before))
    if n_groups == 0 or not (vouched or n_groups > 1):
        return None
    token = Token("number", digits, first.start, tokens[last].end, float(digits))
    token.grouped = True
    return token, last - index + 1


def _join_phrases(tokens: list[Token]) -> list[Token]:
    """Make one token of "held-out", "out of fold", "edit distance" and their like."""
    joined: list[Token] = []
    index = 0
    while index < len(tokens):
        token, size = tokens[index], 1
        heads = _PHRASES_BY_HEAD.get(token.text, []) if token.kind == "word" else []
        for phrase in heads:
            piece = tokens[index : index + 2 * len(phrase) - 1]
            if _spell(piece, phrase):
                name, end = _PHRASES[phrase], piece[-1].end
                token = Token("word", name, piece[0].start, end)
                size = len(piece)
        joined.append(token)
        index += size
    return joined


def _spell(piece: list[Token], phrase: tuple[str, ...]) -> bool:
    """Return whether tokens spell a phrase; "map at 5" spells "map at k"."""
    words = [token.text for token in piece[::2]]
    for place in range(1, len(phrase)):
        numbered = phrase[place - 1] in ("at", "top") and phrase[place] == "k"
        if numbered and words[place:] and re.fullmatch(r"[0-9]{1,3}", words[place]):
            words[place] = "k"
    return tuple(words) == phrase and all(gap.text in " -_" for gap in piece[1::2])


_NUMBERED = (Role.KEYWORD, Role.METRIC, Role.SCHEME)


class Line:
    """One text and its tokens, with their brackets paired."""

    __slots__ = ("closing", "folded", "metric", "opening", "text", "tokens")

    def __init__(self, text: str, metric: Metric | None = None) -> None:
        self.text = text
        self.metric = metric  # of the competition
        self.folded = text.lower()
        self.tokens = tokens = tokenize(text)
        self.opening: dict[int, int] = {}
        self.closing: dict[int, int] = {}
        stack: list[int] = []
        for index, token in enumerate(tokens):
            if token.kind == "newline":
                stack.clear()
            elif token.text in ("(", "[", "{"):
                stack.append(index)
            elif token.text in (")", "]", "}") and stack:
                start = stack.pop()
                self.opening[index], self.closing[start] = start, index

    def at(self, index: int) -> Token | None:
        """Return the token at ``index``, or None beyond either end."""
        return self.tokens[index] if 0 <= index < len(self.tokens) else None

    def glued(self, index: int) -> bool:
        """Return whether a token touches the one before without a space."""
        before = self.at(index - 1)
        return before is not None and before.kind not in ("space", "newline")

    def joined_by_hyphen(self, index: int) -> bool:
        """Return whether a hyphen joins the word at ``index`` to one before it."""
        mark, word = self.at(index - 1), self.at(index - 2)
        if mark is None or word is None:
            return False
        return mark.text == "-" and word.kind == "word"

    def skip(self, index: int, marks: str = "*`\"'") -> int:
        """Return the next index at or after ``index`` that is not a space or mark."""
        end = index + REACH
        for place, token in enumerate(self.tokens[index:end], index):
            if token.kind != "space" and token.text not in marks:
                return place
        return min(end, max(index, len(self.tokens)))

    def backward(self, index: int, marks: str = "") -> Iterator[tuple[int, Token]]:
        """Yield the tokens before ``index``, nearest first, within reach."""
        for place in range(index - 1, max(-1, index - 1 - REACH), -1):
            token = self.tokens[place]
            if token.kind == "newline":
                return
            if token.kind != "space" and token.text not in marks:
                yield place, token

    def is_times(self, index: int) -> bool:
        """Return whether a token is the x of "5x3" and "3x"."""
        token, before, after = self.at(index), self.at(index - 1), self.at(index + 1)
        if token is None or token.text not in ("x", "×"):
            return False
        ends = after is None or after.text.isdigit() or after.kind == "space"
        return before is not None and before.text.isdigit() and ends

    def is_count(self, index: int) -> bool:
        """Return whether a whole number counts folds or seeds, or follows an "@"."""
        token = self.tokens[index]
        before, after = self.at(index - 1), self.at(index + 1)
        if before is not None and before.text == "@":
            return True
        if token.decimals or len(token.text) > 4:
            return False
        if before and after and before.text == "_" and after.text == "'":
            return True  # "valid_0's auc"
        if after is not None and after.kind == "word" and after.text in KEYWORDS:
            return len(token.text) < 3  # "5cv"
        if self.is_times(index - 1) or self.is_times(index + 1):
            return True
        if before is not None and before.kind == "word" and len(token.text) <= 3:
            return before.role in _NUMBERED
        if before is not None and before.text == "(" and after and after.text == ")":
            return True
        if len(token.text) < 3 and self.joined_by_hyphen(index):  # "CV-5"
            return self.tokens[index - 2].role in _NUMBERED
        neighbours = [self.at(self.skip(index + 1, "-_"))]
        neighbours += [token for _, token in self.backward(index, "-_=:(#")][:1]
        return any(near is not None and near.role is Role.SCHEME for near in neighbours)
