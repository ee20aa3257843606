"""What words of other languages mean, in headings and in what people write."""

from __future__ import annotations

import functools
import re
import unicodedata

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
_TOKEN = re.compile("[a-z]榜|[a-z]+[0-9]*|[0-9]+|[\u0400-\u04ff]+|[^\\W\\d_a-z]+")
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
    for token in _TOKEN.findall(_without_accents(text)):
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
