"""Every metric once, with all that is known of it, and how a name finds it.

To add a metric, add its record here and, where its noise is to be measured, its rule in
`means` or `order` (influence) or `score_rules` (from the score alone).

Names come from scikit-learn, LightGBM, XGBoost, CatBoost, and from the evaluation pages
of Kaggle and Zindi. Letter case, blanks and punctuation do not count, so each name
stands here once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from lbsense._format import clean_text, shorten
from lbsense.metrics.record import (
    AVERAGES,
    Average,
    Averaged,
    Metric,
    NoiseRule,
    Parameter,
    PredictionKind,
    Resampler,
    Rules,
    tokens_of,
)

if TYPE_CHECKING:
    from lbsense.metrics import means, order, score_rules
else:  # `lbsense metrics` and direction need none of them, nor numpy
    means, order, score_rules = map(Rules, ("means", "order", "score_rules"))

_MORE, _LESS = True, False


def _row(
    name: str,
    greater_is_better: bool,
    low: float,
    high: float,
    prediction: PredictionKind,
    title: str,
    aliases: str = "",
    **more: Any,
) -> Metric:
    return Metric(
        name=name,
        title=title,
        greater_is_better=greater_is_better,
        low=low,
        high=high,
        prediction=prediction,
        aliases=tuple(alias.strip() for alias in aliases.split("|") if alias.strip()),
        **more,
    )


def _takes(
    template: str, kind: Literal["count", "positive", "fraction"], ways: str
) -> Parameter:
    """Return the number in the names of a family, with the ways to write it."""
    return Parameter(
        template, kind, tuple("".join(way.split()) for way in ways.split("|"))
    )


def _averages(
    over_classes: NoiseRule | None,
    over_rows: NoiseRule | None,
    counted: Resampler | None = None,
) -> tuple[Averaged, ...]:
    """Return the averages over rows that hold sets, over classes, and over both."""
    return (
        Averaged("macro", over_classes, counted),
        Averaged("micro", over_rows),
        Averaged("weighted", over_rows),
        Averaged("samples", score_rules.bounded),
    )


# fmt: off
RECORDS: tuple[Metric, ...] = (
    # Probabilities, or scores that rank
    _row("roc_auc", _MORE, 0, 1, "probability",
         "Area under the ROC curve",
         "auc | auroc | auc roc | roc | area under curve | area under the curve | "
         "area under roc | area under the roc curve | area under roc curve | area "
         "under receiver operating characteristic curve | area under the receiver "
         "operating characteristic curve | c statistic",
         influence=partial(means.of_events, order.roc_auc), noise=score_rules.auc,
         resampler="roc_auc", interval="logit"),
    _row("roc_auc_ovr", _MORE, 0, 1, "probability",
         "One-vs-rest ROC AUC, mean over classes",
         "multiclass auc | macro auc | macro roc auc | auc macro | auc mu | roc auc "
         "macro | macro averaged roc auc",
         influence=partial(means.of_classes, order.roc_auc_ovr)),
    _row("mean_columnwise_auc", _MORE, 0, 1, "probability",
         "ROC AUC, mean over columns",
         "mcauc | columnwise auc | mean columnwise roc auc | mean columnwise area "
         "under receiver operating characteristic curve",
         influence=partial(means.of_columns, order.roc_auc, events=True)),
    _row("partial_auc", _MORE, 0, 1, "probability",
         "Partial area under the ROC curve",
         "pauc | partial roc auc",
         takes=_takes("partial_auc_{}", "fraction", "partial auc # | pauc #")),
    _row("normalized_gini", _MORE, -1, 1, "probability",
         "Gini coefficient, normalised",
         "gini normalized | normalised gini | normalized gini index | normalized "
         "gini coefficient",
         influence=partial(means.of_values, order.normalized_gini),
         noise=score_rules.auc),
    _row("raw_gini", _MORE, -1, 1, "probability",
         "Gini coefficient, not normalised",
         "unnormalized gini | gini unnormalized"),
    _row("average_precision", _MORE, 0, 1, "probability",
         "Average precision (PR AUC)",
         "ap | pr auc | auc pr | auprc | area under pr curve | area under precision "
         "recall curve | area under the precision recall curve | average precision "
         "pr auc | gap | global average precision | google global ap",
         influence=partial(means.of_events, order.average_precision),
         noise=score_rules.average_precision, interval="logit"),
    _row("lwlrap", _MORE, 0, 1, "probability",
         "Label-weighted label-ranking average precision",
         "label weighted label ranking average precision | weighted label ranking "
         "average precision",
         noise=score_rules.bounded),
    _row("log_loss", _LESS, 0, inf, "probability",
         "Logarithmic loss",
         "logarithmic loss | binary log loss | cross entropy | cross entropy loss | "
         "binary cross entropy | bce | nll | negative log likelihood",
         influence=partial(means.of_events_or_classes, means.log_loss,
                           means.multiclass_log_loss),
         noise=score_rules.log_loss, resampler="mean"),
    _row("multiclass_log_loss", _LESS, 0, inf, "probability",
         "Logarithmic loss over classes",
         "multiclass loss | multiclass loss old | multiclass loss deprecated | "
         "multiclass logarithmic loss | mlogloss | multi logloss | "
         "categorical cross entropy | softmax cross entropy | multiclass cross "
         "entropy",
         influence=partial(means.of_classes, means.multiclass_log_loss),
         noise=score_rules.multiclass_log_loss, resampler="mean"),
    _row("weighted_log_loss", _LESS, 0, inf, "probability",
         "Logarithmic loss with class weights",
         "weighted multiclass loss | weighted multi class log loss | balanced log "
         "loss | weighted multiclass logarithmic loss | weighted logarithmic loss"),
    _row("mean_columnwise_log_loss", _LESS, 0, inf, "probability",
         "Logarithmic loss, mean over columns",
         "columnwise log loss | mc log loss | mean columnwise logarithmic loss",
         influence=partial(means.of_columns, means.log_loss, events=True)),
    _row("brier", _LESS, 0, 1, "probability",
         "Brier score of a binary event",
         "brier score | brier loss | brier score loss",
         influence=partial(means.of_events, means.brier),
         noise=score_rules.brier, resampler="mean"),
    _row("top_k_accuracy", _MORE, 0, 1, "probability",
         "Top-k accuracy",
         influence=partial(means.of_classes, means.top_k_accuracy),
         noise=score_rules.proportion,
         resampler="mean", is_share=True,
         takes=_takes("top_{}_accuracy", "count",
                         "top # accuracy | top # acc | top k accuracy # | accuracy #")),
    # Labels
    _row("accuracy", _MORE, 0, 1, "label",
         "Accuracy",
         "acc | categorization accuracy | classification accuracy | categorical "
         "accuracy | binary accuracy | exact match | subset accuracy | mean accuracy",
         influence=partial(means.of_labels_or_sets, order.accuracy, order.sets),
         noise=score_rules.proportion, resampler="accuracy", unlabelled="disagreement",
         is_share=True),
    _row("error_rate", _LESS, 0, 1, "label",
         "Error rate",
         "classification error | misclassification error | misclassification rate | "
         "merror | binary error | multi error | zero one loss | 0 1 loss",
         influence=partial(means.of_labels_or_sets, order.error_rate, order.sets),
         noise=score_rules.proportion, unlabelled="disagreement"),
    _row("balanced_accuracy", _MORE, 0, 1, "label",
         "Balanced accuracy",
         "bacc | balanced acc | mean per class accuracy | mean class accuracy | "
         "macro accuracy | uar | unweighted average recall",
         influence=partial(means.of_labels, order.balanced_accuracy),
         noise=score_rules.balanced_accuracy, resampler="balanced_accuracy",
         interval="logit"),
    _row("fbeta", _MORE, 0, 1, "label",
         "F-beta score",
         "f score beta",
         influence=partial(means.of_labels_or_sets, order.set_overlap, order.sets),
         noise=score_rules.fbeta,
         resampler="f_beta", interval="logit",
         averages=_averages(score_rules.over_classes, score_rules.over_rows,
                            "macro_f_beta"),
         takes=_takes("f{}", "positive",
                         "f # | f beta # | f score # | f measure # | f # measure | f "
                         "score beta #")),
    _row("precision", _MORE, 0, 1, "label",
         "Precision",
         "ppv | positive predictive value",
         influence=partial(means.of_labels_or_sets, order.set_overlap, order.sets),
         noise=score_rules.precision, interval="logit",
         averages=_averages(score_rules.over_classes, score_rules.over_rows)),
    _row("recall", _MORE, 0, 1, "label",
         "Recall",
         "sensitivity | tpr | true positive rate",
         influence=partial(means.of_labels_or_sets, order.set_overlap, order.sets),
         noise=score_rules.recall, interval="logit",
         averages=_averages(score_rules.over_classes, score_rules.over_rows)),
    _row("specificity", _MORE, 0, 1, "label",
         "Specificity",
         "tnr | true negative rate",
         influence=partial(means.of_labels, order.set_overlap),
         noise=score_rules.recall,
         interval="logit"),
    _row("quadratic_kappa", _MORE, -1, 1, "label",
         "Quadratic weighted kappa",
         "qwk | quadratic weighted kappa | quad weighted kappa | quadratic kappa "
         "score | quadratic weighted cohen kappa | quadratic cohen kappa | wkappa | "
         "cohens quadratic weighted kappa",
         influence=partial(means.of_labels, order.quadratic_kappa),
         noise=score_rules.quadratic_kappa, resampler="quadratic_kappa"),
    _row("linear_kappa", _MORE, -1, 1, "label",
         "Linearly weighted kappa",
         "linear weighted kappa | linear cohen kappa"),
    _row("cohen_kappa", _MORE, -1, 1, "label",
         "Cohen's kappa",
         "cohens kappa | unweighted kappa",
         influence=partial(means.of_labels, order.cohen_kappa),
         noise=score_rules.kappa),
    _row("mcc", _MORE, -1, 1, "label",
         "Matthews correlation coefficient",
         "matthews | matthews corrcoef | matthews correlation | matthew correlation "
         "| matthews correlation coefficient | matthew correlation coefficient | phi "
         "coefficient",
         influence=partial(means.of_labels, order.mcc),
         noise=score_rules.kappa, resampler="mcc"),
    _row("hamming_loss", _LESS, 0, 1, "label",
         "Hamming loss",
         "hamming distance",
         influence=partial(means.of_labels_or_sets, order.error_rate, order.sets),
         noise=score_rules.bounded),
    # Sets of labels, masks, boxes
    _row("jaccard", _MORE, 0, 1, "labels",
         "Jaccard index (intersection over union)",
         "jaccard index | jaccard similarity | iou | intersection over union | mean "
         "jaccard | mean iou | miou | word level jaccard | jaccard coefficient",
         influence=partial(means.of_labels_or_sets, order.set_overlap, order.sets),
         noise=score_rules.bounded, interval="logit", averages=_averages(None, None)),
    _row("dice", _MORE, 0, 1, "labels",
         "Dice coefficient",
         "dice coefficient | mean dice | mean dice coefficient | sorensen dice",
         influence=partial(means.of_labels_or_sets, order.set_overlap, order.sets),
         noise=score_rules.bounded, interval="logit"),
    _row("detection_map", _MORE, 0, 1, "boxes",
         "Mean average precision of detections",
         "object detection map | map detection | coco map | map iou | map@[.5:.95] | "
         "map@[0.5:0.95] | map 50 95 | mean average precision iou | mean average "
         "precision at different iou thresholds | intersection over union object "
         "segmentation",
         takes=_takes("detection_map_{}", "fraction",
                         "detection map # | map # | map iou #")),
    # Rankings
    _row("map_at_k", _MORE, 0, 1, "ranking",
         "Mean average precision at k",
         "mapk | mean average precision at k",
         influence=partial(means.of_rankings, means.reciprocal_rank),
         noise=score_rules.bounded,
         resampler="mean",
         takes=_takes("map_at_{}", "count",
                         "map # | mapk # | mean average precision #")),
    _row("mrr", _MORE, 0, 1, "ranking",
         "Mean reciprocal rank",
         "mean reciprocal rank",
         influence=partial(means.of_rankings, means.reciprocal_rank),
         noise=score_rules.bounded,
         resampler="mean",
         takes=_takes("mrr_at_{}", "count", "mrr # | mean reciprocal rank #")),
    _row("ndcg_at_k", _MORE, 0, 1, "ranking",
         "Normalised discounted cumulative gain at k",
         "ndcg | ndcgk | normalized discounted cumulative gain | normalized "
         "discounted cumulative gain k | normalized discounted cumulative gain at k",
         influence=partial(means.of_rankings, means.ndcg_at_k),
         noise=score_rules.bounded,
         resampler="mean",
         takes=_takes("ndcg_at_{}", "count",
                         "ndcg # | normalized discounted cumulative gain #")),
    _row("recall_at_k", _MORE, 0, 1, "ranking",
         "Recall at k",
         "hit rate at k | hit rate | hit ratio | recall k",
         influence=partial(means.of_rankings, means.recall_at_k),
         noise=score_rules.bounded,
         resampler="mean",
         takes=_takes("recall_at_{}", "count", "recall # | hit rate #")),
    _row("precision_at_k", _MORE, 0, 1, "ranking",
         "Precision at k",
         "precision k",
         influence=partial(means.of_rankings, means.precision_at_k),
         noise=score_rules.bounded,
         resampler="mean", takes=_takes("precision_at_{}", "count", "precision #")),
    # Values
    _row("rmse", _LESS, 0, inf, "value",
         "Root mean squared error",
         "root mean squared error | root mean square error | rmsd | l2 root",
         influence=partial(means.of_values, means.rmse),
         noise=score_rules.root_mean_square, in_target_unit=True),
    _row("mse", _LESS, 0, inf, "value",
         "Mean squared error",
         "mean squared error | mean square error | l2 | squared error",
         influence=partial(means.of_values, means.mse), noise=score_rules.mean_square,
         resampler="mean", in_target_unit=True),
    _row("mae", _LESS, 0, inf, "value",
         "Mean absolute error",
         "mean absolute error | l1 | absolute error | mean absolute deviation",
         influence=partial(means.of_values, means.mae),
         noise=score_rules.mean_absolute,
         resampler="mean", in_target_unit=True),
    _row("weighted_mae", _LESS, 0, inf, "value",
         "Weighted mean absolute error",
         "wmae | weighted mean absolute error",
         in_target_unit=True),
    _row("median_absolute_error", _LESS, 0, inf, "value",
         "Median absolute error",
         "medae | medianae",
         noise=score_rules.median_absolute, in_target_unit=True),
    _row("max_error", _LESS, 0, inf, "value",
         "Largest absolute error",
         "maximum error"),
    _row("rmsle", _LESS, 0, inf, "value",
         "Root mean squared logarithmic error",
         "root mean squared logarithmic error | root mean squared log error | root "
         "mean square log error | root mean square logarithmic error",
         influence=partial(means.of_values, means.rmsle),
         noise=score_rules.root_mean_square,
         unlabelled="log"),
    _row("msle", _LESS, 0, inf, "value",
         "Mean squared logarithmic error",
         "mean squared log error | mean squared logarithmic error",
         influence=partial(means.of_values, means.msle), noise=score_rules.mean_square,
         resampler="mean", unlabelled="log"),
    _row("mcrmse", _LESS, 0, inf, "value",
         "Root mean squared error, mean over columns",
         "mean columnwise rmse | columnwise rmse | mean columnwise root mean squared "
         "error",
         influence=partial(means.of_columns, means.rmse), in_target_unit=True),
    _row("mcrmsle", _LESS, 0, inf, "value",
         "Root mean squared logarithmic error, mean over columns",
         "mean columnwise rmsle | mean columnwise root mean squared logarithmic "
         "error",
         influence=partial(means.of_columns, means.rmsle)),
    _row("rmspe", _LESS, 0, inf, "value",
         "Root mean squared percentage error",
         "root mean square percentage error | root mean squared percentage error",
         influence=partial(means.of_values, means.rmspe)),
    _row("mape", _LESS, 0, inf, "value",
         "Mean absolute percentage error",
         "mean absolute percentage error | mean absolute percent error",
         influence=partial(means.of_values, means.mape)),
    _row("smape", _LESS, 0, 200, "value",
         "Symmetric mean absolute percentage error",
         "symmetric mape | symmetric mean absolute percentage error | symmetric mean "
         "absolute percent error",
         influence=partial(means.of_values, means.smape)),
    _row("wmape", _LESS, 0, inf, "value",
         "Weighted mean absolute percentage error",
         "wape | weighted mape | weighted absolute percentage error | weighted mean "
         "absolute percentage error",
         influence=partial(means.of_values, means.wmape)),
    _row("r2", _MORE, -inf, 1, "value",
         "Coefficient of determination",
         "r squared | r square | coefficient of determination | nash sutcliffe "
         "efficiency | nse",
         influence=partial(means.of_values, means.r2), noise=score_rules.r2),
    _row("explained_variance", _MORE, -inf, 1, "value",
         "Explained variance",
         "explained variance score",
         influence=partial(means.of_values, means.explained_variance),
         noise=score_rules.r2),
    _row("pearson", _MORE, -1, 1, "value",
         "Pearson correlation",
         "pearsonr | pearson correlation | pearson correlation coefficient | "
         "pearsons correlation coefficient | pcc | linear correlation",
         influence=partial(means.of_values, order.pearson), noise=score_rules.pearson),
    _row("spearman", _MORE, -1, 1, "value",
         "Spearman rank correlation",
         "spearmanr | spearman correlation | spearman rank correlation | spearmans "
         "rank correlation | spearman rho | mean columnwise spearman | mcspearmanr | "
         "mean columnwise spearmans r rank correlation coefficient | spearmans "
         "rank correlation coefficient | spearman correlation coefficient | spearman "
         "rank correlation coefficient | rank correlation",
         influence=partial(means.of_values, order.spearman),
         noise=score_rules.spearman),
    _row("kendall", _MORE, -1, 1, "value",
         "Kendall rank correlation",
         "kendalltau | kendalls tau | kendall rank correlation",
         noise=score_rules.kendall),
    _row("concordance_correlation", _MORE, -1, 1, "value",
         "Lin's concordance correlation",
         "ccc | concordance correlation coefficient | lin ccc",
         influence=partial(means.of_values, means.concordance),
         noise=score_rules.concordance),
    _row("c_index", _MORE, 0, 1, "value",
         "Concordance index",
         "concordance | concordance index | harrell c | harrells c index | "
         "stratified c index | stratified concordance index"),
    _row("pinball", _LESS, 0, inf, "value",
         "Pinball loss",
         "pinball loss | mean pinball loss | quantile loss | quantile",
         influence=partial(means.of_values, means.pinball), noise=score_rules.pinball,
         resampler="mean", in_target_unit=True,
         takes=_takes("pinball_{}", "fraction",
                         "pinball # | pinball loss # | mean pinball loss # | quantile "
                         "# | quantile loss #")),
    _row("poisson_deviance", _LESS, 0, inf, "value",
         "Poisson deviance",
         "mean poisson deviance",
         influence=partial(means.of_values, means.poisson_deviance), resampler="mean",
         unlabelled="log"),
    _row("gamma_deviance", _LESS, 0, inf, "value",
         "Gamma deviance",
         "mean gamma deviance",
         influence=partial(means.of_values, means.gamma_deviance), resampler="mean"),
    # Distributions
    _row("crps", _LESS, 0, inf, "distribution",
         "Continuous ranked probability score",
         "continuous ranked probability score | continuous ranked probability | "
         "continuous rank probability score"),
    _row("interval_score", _LESS, 0, inf, "distribution",
         "Winkler interval score",
         "winkler score | winkler interval score | mwis | mean winkler interval "
         "score"),
    _row("kl_divergence", _LESS, 0, inf, "distribution",
         "Kullback-Leibler divergence",
         "kullback leibler divergence | kullback leibler | kld"),
    _row("laplace_log_likelihood", _MORE, -inf, inf, "distribution",
         "Laplace log likelihood",
         "modified laplace log likelihood"),
    # Text
    _row("word_error_rate", _LESS, 0, inf, "text",
         "Word error rate",
         "wer"),
    _row("char_error_rate", _LESS, 0, inf, "text",
         "Character error rate",
         "cer | character error rate"),
    _row("levenshtein_distance", _LESS, 0, inf, "text",
         "Mean Levenshtein distance",
         "levenshtein | levenshtein mean | mean levenshtein distance | edit distance "
         "| mean edit distance"),
    _row("bleu", _MORE, 0, 100, "text",
         "BLEU",
         "sacrebleu | corpus bleu"),
    _row("chrf", _MORE, 0, 100, "text",
         "chrF",
         "chrf plus plus"),
    _row("rouge", _MORE, 0, 100, "text",
         "ROUGE",
         "rouge 1 | rouge 2 | rouge l | rouge l f1 | rouge 1 f1"),
    _row("perplexity", _LESS, 1, inf, "text",
         "Perplexity",
         "ppl"),
)
# fmt: on

# Names that stand for several metrics, and what each of them would be.
AMBIGUOUS: dict[str, tuple[str, ...]] = {
    "gini": ("normalized_gini", "raw_gini"),
    "giniindex": ("normalized_gini", "raw_gini"),
    "ginicoefficient": ("normalized_gini", "raw_gini"),
    "map": ("map_at_k", "detection_map", "average_precision"),
    "meanaverageprecision": ("map_at_k", "detection_map", "average_precision"),
    "loss": ("log_loss", "mse", "mae", "hamming_loss"),
    "error": ("error_rate", "rmse", "mae"),
    "score": ("accuracy", "roc_auc", "f1", "r2"),
    "kappa": ("quadratic_kappa", "cohen_kappa", "linear_kappa"),
    "weightedkappa": ("quadratic_kappa", "linear_kappa"),
    "correlation": ("pearson", "spearman", "kendall", "mcc"),
    "loglikelihood": ("neg_log_loss", "laplace_log_likelihood"),
    "deviance": ("poisson_deviance", "gamma_deviance", "log_loss"),
    "topk": ("top_k_accuracy", "recall_at_k", "map_at_k"),
    "hit": ("recall_at_k", "top_k_accuracy"),
    "distance": ("levenshtein_distance", "mae", "rmse"),
    "levenshteinscore": ("levenshtein_distance", "neg_levenshtein_distance"),
    "meanauc": ("roc_auc", "roc_auc_ovr", "mean_columnwise_auc"),
}

_NEGATIONS = ("neg", "negative", "negated", "minus")
_MINUS_SIGNS = ("-", "−", "–")
_IDLE_WORDS = ("score", "metric")
_AVERAGE_WORDS = ("average", "averaged", "avg")
# Kaggle runs words together: MeanFScore, MacroFScore.
_WORD_BOUNDS = re.compile("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def find_metric(name: str) -> Metric:
    """Return the metric that goes by ``name``.

    Letter case, blanks and punctuation do not count. A number in the name is the
    parameter (``"f2"``, ``"map@5"``, ``"top_3_accuracy"``, ``"pinball_0.9"``), the
    words macro, micro, weighted and samples are the average (``"macro F1"``), and
    ``neg`` or a minus sign in front is the flipped sign of scikit-learn's scorers.

    Parameters
    ----------
    name : str
        Canonical name, alias, or the name on a Kaggle or Zindi evaluation page.

    Returns
    -------
    Metric
        With its direction and range; those of ``"neg_rmse"`` are mirrored, so that
        greater is better and no score is above 0.

    Raises
    ------
    TypeError
        If ``name`` is not text.
    ValueError
        If the name is not known, or stands for several metrics: the direction of a
        metric is never guessed.

    Examples
    --------
    >>> find_metric("Area Under Receiver Operating Characteristic Curve").name
    'roc_auc'
    >>> find_metric("MAP@5").name
    'map_at_5'
    >>> rmse = find_metric("neg_root_mean_squared_error")
    >>> rmse.name, rmse.greater_is_better, rmse.high
    ('neg_rmse', True, 0.0)
    >>> find_metric("gini")
    Traceback (most recent call last):
        ...
    ValueError: The metric name 'gini' stands for several: 'normalized_gini' (Gini...
    """
    if not isinstance(name, str):
        msg = f"metric must be a name such as 'roc_auc', got {name!r}."
        raise TypeError(msg)
    metric = _read(name)
    if metric is None:
        raise ValueError(_unknown(name))
    return metric


def _read(text: str) -> Metric | None:
    """Return the metric that the text names, or None."""
    tokens = tokens_of(text)
    signed = text.strip().startswith(_MINUS_SIGNS)
    if signed and text.strip()[1:2].isspace():
        return None  # a minus sign or the dot of a list: not for us to say
    if not signed:
        metric = _plain(tokens)
        if metric is not None:
            return metric
    if tokens and (signed or tokens[0] in _NEGATIONS):
        metric = _plain(tokens if signed else tokens[1:])
        return None if metric is None else metric.mirrored()
    apart = _WORD_BOUNDS.sub(" ", text)
    return _explained_in_brackets(text) or (_read(apart) if apart != text else None)


def _plain(tokens: list[str]) -> Metric | None:
    """Return the metric that words without a sign name, or None."""
    brief = [token for token in tokens if token not in _IDLE_WORDS]
    for words in (tokens, brief):
        _check_one_meaning(words)
        found = _INDEX.get("".join(words)) or _with_parameter(words)
        if found is not None:
            return found
    return _with_average(tokens) or _with_average(brief)


def _check_one_meaning(tokens: list[str]) -> None:
    choices = AMBIGUOUS.get("".join(tokens), ())
    if choices:
        named = ", ".join(f"{name!r} ({find_metric(name).title})" for name in choices)
        msg = (
            f"The metric name {' '.join(tokens)!r} stands for several: {named}. "
            "Use one of these names."
        )
        raise ValueError(msg)


def _with_parameter(tokens: list[str]) -> Metric | None:
    """Return the metric whose name carries a number, or None."""
    numbers = [token for token in tokens if token[0].isdecimal()]
    if len(numbers) != 1:
        return None
    (number,) = numbers
    way = "".join("#" if t == number else t for t in tokens if t != "at")
    # "f05" cannot carry a point in many file formats; no beta is written 05.
    value = float(f"0.{number[1:]}" if re.fullmatch(r"0\d+", number) else number)
    for metric in _WITH_PARAMETER:
        takes = metric.takes
        if takes and way in takes.ways and _ALLOWED[takes.kind](value):
            return _set_parameter(metric, takes.template, value)
    return None


def _set_parameter(metric: Metric, template: str, value: float) -> Metric:
    name = template.format(f"{value:g}")
    title = f"{metric.title} ({value:g})"
    if metric.family == "fbeta":
        title = f"F{value:g} score"
    return replace(metric, name=name, title=title, parameter=value, aliases=())


_ALLOWED: dict[str, Callable[[float], bool]] = {
    "count": lambda value: value >= 1 and value.is_integer(),
    "positive": lambda value: value > 0,
    "fraction": lambda value: 0 < value < 1,
}


def _with_average(tokens: list[str]) -> Metric | None:
    """Return the metric whose name says how it is averaged, or None."""
    for average, rest in _split_average(tokens):
        metric = _INDEX.get("".join(rest)) or _with_parameter(rest)
        if metric is None or not metric.averages:
            continue
        if average is None:
            return metric
        return next(
            _set_average(metric, way) for way in metric.averages if way[0] == average
        )
    return None


def _split_average(tokens: list[str]) -> Iterator[tuple[Average | None, list[str]]]:
    rest = [token for token in tokens if token not in _AVERAGE_WORDS]
    for average in AVERAGES:
        if average in rest:
            yield average, [token for token in rest if token != average]
    if "binary" in rest:
        yield None, [token for token in rest if token != "binary"]
    # On Kaggle a "mean F score" is the mean over rows of the score of a set of labels.
    if rest and rest[0] == "mean":
        yield "samples", rest[1:]


def _set_average(metric: Metric, way: Averaged) -> Metric:
    return replace(
        metric,
        name=f"{metric.name}_{way.average}",
        title=f"{metric.title}, {way.average} average",
        average=way.average,
        prediction="labels" if way.average == "samples" else metric.prediction,
        aliases=(),
        noise=way.noise,
        resampler=way.resampler,
    )


def _explained_in_brackets(text: str) -> Metric | None:
    """Return the metric of "Root Mean Squared Error (RMSE)": said twice, alike."""
    match = re.fullmatch(r"([^()\[\]]+)[(\[]([^()\[\]]+)[)\]]\s*", text)
    if match is None:
        return None
    outside, inside = (_read(part) for part in match.groups())
    return outside if outside == inside else None


def _unknown(name: str) -> str:
    texts = {alias: m.name for m in METRICS.values() for alias in (m.name, *m.aliases)}
    close = get_close_matches(" ".join(tokens_of(name)), texts, n=5, cutoff=0.6)
    names = list(dict.fromkeys(texts[text] for text in close))[:3]
    hint = f" Close to it: {', '.join(names)}." if names else ""
    return (
        f"The metric {shorten(clean_text(name), 60)!r} is not known.{hint} Use a name "
        "of lbsense.metrics.METRICS, or pass greater_is_better=True or False with your "
        "own name."
    )


_OF_RECORDS = {metric.name: metric for metric in RECORDS}
_F1 = replace(
    _OF_RECORDS["fbeta"],
    name="f1",
    title="F1 score",
    parameter=1.0,
    aliases=("f score", "f measure", "f1 binary"),
)
METRICS: Mapping[str, Metric] = MappingProxyType({**_OF_RECORDS, "f1": _F1})
"""Every registered metric by its canonical name."""

_INDEX = {
    "".join(tokens_of(text)): metric
    for metric in METRICS.values()
    for text in (metric.name, *metric.aliases)
}
_WITH_PARAMETER = [metric for metric in RECORDS if metric.takes]
