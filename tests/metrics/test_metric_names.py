"""Names of metrics: what is understood, what is refused, which way is better."""

from __future__ import annotations

import csv
import pickle
import re
from collections import Counter
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import get_scorer_names

import lbsense.metrics
from lbsense.metrics import METRICS, Metric, find_metric

TABLE = Path(lbsense.metrics.__file__).with_name("metrics.csv")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        # names of Kaggle's and Zindi's evaluation pages
        ("Area Under Receiver Operating Characteristic Curve", "roc_auc"),
        ("AUC", "roc_auc"),
        ("Normalized Gini Index", "normalized_gini"),
        ("Log Loss", "log_loss"),
        ("Multiclass Loss", "multiclass_log_loss"),
        ("Weighted Multiclass Loss", "weighted_log_loss"),
        ("Categorization Accuracy", "accuracy"),
        ("Quadratic Weighted Kappa", "quadratic_kappa"),
        ("Matthews Correlation Coefficient", "mcc"),
        ("Mean F1 Score", "f1_samples"),
        ("F-Score (Micro)", "f1_micro"),
        ("F-Score (Macro)", "f1_macro"),
        ("F-Score Beta (Micro)", "fbeta_micro"),
        ("MAP@{K}", "map_at_k"),
        ("Normalized Discounted Cumulative Gain@{K}", "ndcg_at_k"),
        ("Root Mean Squared Error", "rmse"),
        ("Root Mean Square Error (RMSE)", "rmse"),
        ("Root Mean Squared Logarithmic Error", "rmsle"),
        ("Mean Columnwise Root Mean Squared Error", "mcrmse"),
        ("Mean Columnwise Area Under Receiver Operating Characteristic Curve", "mcauc"),
        ("Mean Absolute Error", "mae"),
        ("Symmetric Mean Absolute Percentage Error", "smape"),
        ("Continuous Ranked Probability Score", "crps"),
        ("Levenshtein Mean", "levenshtein_distance"),
        ("Intersection Over Union Object Segmentation", "detection_map"),
        ("Hamming Loss", "hamming_loss"),
        ("Word Error Rate", "word_error_rate"),
        ("R2 Score", "r2"),
        ("R²", "r2"),
        # Kaggle's short forms
        ("MeanFScore", "f1_samples"),
        ("MacroFScore", "f1_macro"),
        ("MeanFScoreBeta", "fbeta_samples"),
        ("F_{Beta}", "fbeta"),
        ("MulticlassLossOld", "multiclass_log_loss"),
        ("Multiclass Loss (Deprecated)", "multiclass_log_loss"),
        ("Weighted Label Ranking Average Precision", "lwlrap"),
        ("RootMeanSquarePercentageError", "rmspe"),
        # letter case, blanks, punctuation
        ("  roc-auc ", "roc_auc"),
        ("RocAuc", "roc_auc"),
        ("log_loss", "log_loss"),
        ("LogLoss", "log_loss"),
        ("Cohen's Kappa", "cohen_kappa"),
        ("C-Index", "c_index"),
        # libraries
        ("mlogloss", "multiclass_log_loss"),
        ("merror", "error_rate"),
        ("aucpr", "average_precision"),
        ("l1", "mae"),
        ("l2", "mse"),
        ("root_mean_squared_log_error", "rmsle"),
        # parameters and averages
        ("f1", "f1"),
        ("F1-Score", "f1"),
        ("f2", "f2"),
        ("F_{0.5}", "f0.5"),
        ("f05", "f0.5"),
        ("fbeta_2", "f2"),
        ("mean f2 score", "f2_samples"),
        ("Macro F1", "f1_macro"),
        ("F1 score (weighted average)", "f1_weighted"),
        ("precision_macro", "precision_macro"),
        ("map@5", "map_at_5"),
        ("mAP@0.5", "detection_map_0.5"),
        ("mAP@[.5:.95]", "detection_map"),
        ("ndcg_at_10", "ndcg_at_10"),
        ("top_3_accuracy", "top_3_accuracy"),
        ("Top-5 Accuracy", "top_5_accuracy"),
        ("pinball_0.9", "pinball_0.9"),
        ("Quantile Loss 0.25", "pinball_0.25"),
        ("Recall@20", "recall_at_20"),
        # scikit-learn's flipped signs
        ("neg_log_loss", "neg_log_loss"),
        ("neg_root_mean_squared_error", "neg_rmse"),
        ("negative log likelihood", "log_loss"),
        ("-RMSE", "neg_rmse"),
        ("−mae", "neg_mae"),
    ],
)
def test_names_that_people_write(text: str, name: str) -> None:
    """Each is the metric of the canonical name."""
    assert find_metric(text) == find_metric(name)


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("roc_auc", True),
        ("log_loss", False),
        ("error_rate", False),
        ("hamming_loss", False),
        ("r2", True),
        ("crps", False),
        ("bleu", True),
        ("perplexity", False),
        ("laplace_log_likelihood", True),
        ("c_index", True),
    ],
)
def test_directions(name: str, better: bool) -> None:
    assert find_metric(name).greater_is_better is better


def test_errors_and_losses_are_minimised_and_the_rest_maximised() -> None:
    """A second way to the direction: the word in the title."""
    less = re.compile(r"error|loss|deviance|distance|divergence|Brier|perplexity", re.I)
    others = {"Continuous ranked probability score", "Winkler interval score"}
    for metric in METRICS.values():
        lower = bool(less.search(metric.title)) or metric.title in others
        assert metric.greater_is_better is not lower, metric.name


def test_a_flipped_sign_mirrors_direction_and_range() -> None:
    metric = find_metric("neg_root_mean_squared_error")
    assert metric.greater_is_better
    assert (metric.low, metric.high) == (float("-inf"), 0.0)
    assert str(metric.high) == "0.0"
    assert metric.negated
    assert metric.family == "rmse"
    back = metric.mirrored()
    assert (back.greater_is_better, back.low, back.high) == (False, 0.0, float("inf"))


def test_parameters_are_kept() -> None:
    assert find_metric("f2_macro").parameter == 2
    assert find_metric("f2_macro").average == "macro"
    assert find_metric("MAP@12").parameter == 12
    assert find_metric("map_at_k").parameter is None


def test_every_alias_names_one_metric_and_is_written_once() -> None:
    texts = Counter(
        re.sub(r"[^a-z0-9.]", "", alias.lower())
        for metric in METRICS.values()
        for alias in {metric.name, *metric.aliases}
    )
    assert [text for text, count in texts.items() if count > 1] == []
    for metric in METRICS.values():
        for alias in (metric.name, *metric.aliases):
            assert find_metric(alias) is metric


def test_names_survive_the_way_back() -> None:
    for text in ("f2_macro", "map_at_5", "neg_f1", "pinball_0.9", "detection_map_0.5"):
        metric = find_metric(text)
        assert metric.name == text
        assert find_metric(metric.name) == metric


def test_scorers_of_scikit_learn_have_greater_is_better() -> None:
    unknown = []
    for scorer in get_scorer_names():
        try:
            metric = find_metric(scorer)
        except ValueError:
            unknown.append(scorer)
        else:
            # Before scikit-learn 1.6 the flipped sign of max_error went unsaid.
            assert metric.greater_is_better or scorer == "max_error"
    # Clustering, D2, likelihood ratios and weighted pairs are no competition metrics.
    odd = re.compile("rand|info|d2|likelihood|mallows|ness|homogen|v_meas|ovo|ovr_w")
    assert [scorer for scorer in unknown if not odd.search(scorer)] == []


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("gini", ["normalized_gini", "raw_gini"]),
        ("map", ["map_at_k", "detection_map", "average_precision"]),
        ("Mean Average Precision", ["map_at_k", "detection_map"]),
        ("loss", ["log_loss", "mse"]),
        ("score", ["accuracy", "roc_auc"]),
        ("Error", ["error_rate", "rmse"]),
        ("kappa", ["quadratic_kappa", "cohen_kappa"]),
        ("correlation", ["pearson", "spearman", "kendall", "mcc"]),
        ("levenshtein score", ["levenshtein_distance", "neg_levenshtein_distance"]),
        ("mean auc", ["roc_auc", "mean_columnwise_auc"]),
    ],
)
def test_ambiguous_names_give_the_choices(text: str, choices: list[str]) -> None:
    with pytest.raises(ValueError, match="stands for several") as error:
        find_metric(text)
    for choice in choices:
        assert repr(choice) in str(error.value)
        assert find_metric(choice).name == choice


@pytest.mark.parametrize(
    ("text", "close"),
    [
        ("log los", "log_loss"),
        ("root mean sqared error", "rmse"),
        ("spearmn", "spearman"),
    ],
)
def test_unknown_names_give_close_ones_and_the_remedy(text: str, close: str) -> None:
    with pytest.raises(ValueError, match=close) as error:
        find_metric(text)
    assert "greater_is_better=True or False" in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "neg",
        "custom",
        "1-auc",
        "1 - accuracy",
        "auc, f1",
        "RMSE + MAE",
        "- rmse",  # a minus sign or the dot of a list
        "hamming score",  # greater is better, unlike the loss
        "brier skill score",
        "accuracy (lower is better)",
        "加权auc",
        "f0",
        "map@0",
        "pinball_2",
        "top_2.5_accuracy",
        "neg neg rmse",
    ],
)
def test_no_direction_is_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="not known"):
        find_metric(text)


def test_a_name_must_be_text() -> None:
    with pytest.raises(TypeError, match="must be a name such as 'roc_auc', got 3"):
        find_metric(3)  # type: ignore[arg-type]


def test_foreign_text_cannot_reach_the_terminal() -> None:
    with pytest.raises(ValueError, match="not known") as error:
        find_metric("a\x1b[31mb" + "c" * 1000)
    assert "\x1b" not in str(error.value)
    assert len(str(error.value)) < 400


@given(st.text(max_size=30))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        metric = find_metric(text)
    except ValueError:
        return
    assert isinstance(metric, Metric)
    assert metric.low < metric.high


@given(st.sampled_from(sorted(METRICS)), st.sampled_from(["_", " ", "-", "  "]))
def test_case_and_separators_do_not_count(name: str, separator: str) -> None:
    assert find_metric(name.upper().replace("_", separator)) is METRICS[name]


def test_metrics_cannot_be_changed() -> None:
    with pytest.raises(TypeError, match="does not support item assignment"):
        METRICS["mine"] = METRICS["rmse"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bleu", {"bleu", "sacrebleu", "corpusbleu"}),
        ("rouge", {"rouge", "rouge1", "rouge2", "rougel"}),
        ("rmse", {"rmse", "rmsd"}),
        ("pinball", {"pinball", "pinballloss", "quantile", "quantileloss"}),
    ],
)
def test_metrics_know_the_words_by_which_they_are_written(
    name: str, words: set[str]
) -> None:
    assert METRICS[name].written == words


def test_words_of_metrics_are_single_and_in_lower_case() -> None:
    for metric in METRICS.values():
        for word in metric.written:
            assert re.fullmatch(r"[a-z]+\d?", word)


def test_a_metric_is_shown_and_pickled_by_its_facts() -> None:
    metric = find_metric("macro F1")
    assert list(metric.to_dict())[-1] == "negated"
    again = pickle.loads(pickle.dumps(metric))
    assert again == metric
    assert again.influence is not None


def test_every_row_of_the_table_is_a_metric_with_cells_that_it_can_have():
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] + ["f1"] == list(METRICS)
    allowed = {
        "better": {"higher", "lower"},
        "scale": {"share", "target", ""},
        "takes": {"count", "positive", "fraction", ""},
        "predicts": set(get_args(get_type_hints(Metric)["prediction"])),
        "interval": {"logit", ""},
        "unlabelled": {"disagreement", "log", ""},
    }
    for row in rows:
        assert None not in {*row, *row.values()}, row
        for column, cells in allowed.items():
            assert row[column].partition(" ")[0] in cells, row
        metric = METRICS[row["name"]]
        assert metric.low < metric.high
        assert bool(row["noise"]) == (metric.noise is not None)
        assert bool(row["influence"]) == (metric.influence is not None)
        assert all(
            re.fullmatch(r"[^#]+#?[^#]*", way) for way in row["ways"].split("|") if way
        )
    resamplers = {"mean", "roc_auc", "accuracy", "balanced_accuracy", "f_beta"}
    resamplers |= {"macro_f_beta", "quadratic_kappa", "mcc", None}
    assert {metric.resampler for metric in METRICS.values()} <= resamplers
