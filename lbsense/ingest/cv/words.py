"""The words around a number, and what each says about whose number it is."""

from __future__ import annotations

from enum import Enum

__all__ = [
    "BOUNDED_METRICS",
    "CJK_WORDS",
    "KEYWORDS",
    "KINDS",
    "PHRASES",
    "UNBOUNDED_METRICS",
    "Role",
    "role_of",
    "split_compound",
]


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
    "cv": "cv cvs xval crossval crossvalidation crossvalidated kreuzvalidierung "
    "кроссвалидация 交差検証 交叉验证 交叉驗證",
    "oof": "oof oofs outoffold",
    "loo": "loo loocv leaveoneout",
    "holdout": "holdout heldout",
    "validation": "val valid validation validación validacion validação validacao "
    "валидация вал 検証 验证 驗證",
    "local": "local offline локально локальный ローカル 线下 線下 本地",
    "grid search": "gs",
}
KEYWORDS = {
    word: kind for kind, words in _KEYWORD_TABLE.items() for word in words.split()
}

_ROLE_TABLE = {
    Role.UNIT: """
        s sec secs second seconds ms mins minute minutes h hr hrs hour hours day
        days gb mb percent pct epoch epochs wells rows features feats samples trees
        iterations rounds targets threshold thresholds thresh thr weight weights wt
        dropout ratio rate lr alpha temperature frac fraction quantile""",
    Role.FILLER: """
        score scores is was = of at about approx approximately around ca circa now to
        gives give giving got gets get reached reaches hit hits scored scoring shows
        overall final total result results value best new our my own the a an this
        covered covers full all whole matched raw clean honest estimate estimated
        metric on in with for over across single median pooled global tuned calibrated
        postprocessed pp rounded nested repeated stratified grouped group purged est
        skor wert puntaje nota скор スコア 値 集 は が の で も を に 約 约 为 是 分数
        得分 成绩""",
    Role.MODEL: """
        blend blended blending ensemble ensembled stack stacked stacking lgb lgbm
        lightgbm xgb xgboost cat catboost cb nn mlp cnn rnn lstm gru tcn transformer
        bert deberta roberta ridge lasso logreg linear svm svr knn rf et gbm gbdt
        hgb tabnet model models base baseline meta unet resnet efficientnet vit swin
        merged hybrid mix mixed weighted unweighted""",
    Role.SCHEME: """
        fold folds kfold kf skf sk gkf sgkf skfold stratifiedkfold groupkfold
        stratifiedgroupkfold timeseriessplit split splits seed seeds repeat repeats
        k n bag bags 折 фолд фолда фолдов""",
    Role.NEGATION: "no non not without never sans kein ohne sin без なし 没有",
    Role.FOREIGN: """
        their theirs his her hers someone somebody others author authors winner winners
        rival competitor""",
    Role.COPIED: """
        kernel kernels notebook notebooks paper original reported published claimed
        claims claim forum discussion upstream teacher pseudo expecting hoped hoping
        aiming want wanted need needed""",
    Role.EARLIER: """
        vs versus than against were prev previous previously old older before from
        former last earlier compared beat beats beating target goal expected expect
        aim above below under until 以前 前回 之前 から""",
    Role.DELTA: """
        gap delta diff difference gain gains gained improvement improve improved
        improves improving increase increased increases decrease decreased decreases
        drop dropped drops up down better worse higher lower change changed changes by
        margin plus minus loses lost rose fell went goes moved shakeup boost boosts
        boosted δ 差 向上 悪化 改善 提升 下降""",
    Role.EXTREME: "min max minimum maximum worst lowest highest range",
    Role.SPREAD: "std sd stdev stddev sigma se sem var variance spread deviation",
    Role.MEAN: "mean avg average averaged moyenne media média среднее 平均 均值",
    Role.METRIC: """
        acc accuracy ap auc bacc bce brier ce cer cindex concordance corr correlation
        crps dice ece err error f1 f2 fbeta fscore gini hamming iou jaccard kappa
        logloss log loss lwlrap macro mae map mape mase mcc mcrmse medae micro mlogloss
        mrr mse ndcg nll nrmse pearson pinball pr prauc precision qwk r2 recall rmse
        rmsle rmspe rmsse roc rocauc rps sensitivity smape spearman specificity wape
        wer wmae wmape wrmse wrmsse neg binary logarithmic squared absolute""",
    Role.SET: """
        kaggle zindi real online actual test tst train trn training insample apparent
        线上 線上 提出 训练 学習""",
    Role.BOARD: """
        lb plb pl pb public publiclb privatelb private priv pub leaderboard board лб
        паблик приват 公開 非公開""",
    Role.KEYWORD: " ".join(KEYWORDS),
}
_ROLES = {word: role for role, words in _ROLE_TABLE.items() for word in words.split()}

# Words that are written apart, or joined by "-" and "_", and mean one thing.
PHRASES = {
    ("held", "out"): "heldout",
    ("hold", "out"): "holdout",
    ("out", "of", "fold"): "outoffold",
    ("out", "of", "folds"): "outoffold",
    ("leave", "one", "out"): "leaveoneout",
    ("cross", "validation"): "crossvalidation",
    ("cross", "validated"): "crossvalidation",
    ("cross", "val"): "crossval",
    ("in", "sample"): "insample",
    ("кросс", "валидация"): "кроссвалидация",
    ("validation", "croisée"): "crossvalidation",
    ("validación", "cruzada"): "crossvalidation",
    ("validação", "cruzada"): "crossvalidation",
}

# Metrics in [0, 1]: a whole number beside them can only have lost its decimal point.
_BOUNDED = """
    acc accuracy ap auc bacc f1 f2 fbeta fscore iou jaccard dice map prauc precision
    recall roc rocauc qwk kappa gini ndcg mrr"""
BOUNDED_METRICS = frozenset(_BOUNDED.split())
# Metrics of errors in the unit of the target: a whole number may stand as it is.
_UNBOUNDED = "rmse mae mse medae wmae wrmse mcrmse rmsse mase pinball"
UNBOUNDED_METRICS = frozenset(_UNBOUNDED.split())

CJK_WORDS = sorted(
    (word for word in _ROLES if min(word) >= "\u3000"), key=len, reverse=True
)

_LONGEST = 24
_COMPOUND_ROLES = {
    Role.KEYWORD,
    Role.BOARD,
    Role.METRIC,
    Role.MEAN,
    Role.SPREAD,
    Role.SET,
}


def role_of(word: str) -> Role:
    """Return the role of a lower-case word."""
    return _ROLES.get(word, Role.UNKNOWN)


def split_compound(word: str) -> tuple[str, ...]:
    """Return the parts of a lower-case word such as "cvscore", or the word alone.

    A keyword must stand at one end and the rest must be a word that goes with it, so
    that "rfecv" stays whole.
    """
    if word in _ROLES or len(word) > _LONGEST:
        return (word,)
    for cut in range(2, len(word) - 1):
        head, tail = word[:cut], word[cut:]
        if head in KEYWORDS and (_goes_with(tail) or tail in ("score", "scores")):
            return (head, tail)
        if tail in KEYWORDS and _goes_with(head):
            return (head, tail)
    return (word,)


def _goes_with(word: str) -> bool:
    return _ROLES.get(word) in _COMPOUND_ROLES
