"""What the names of a submission say that its file holds."""

import pytest

from lbsense.model import stated_content


@pytest.mark.parametrize(
    ("description", "file_name", "kind"),
    [
        (None, "probe_zeros.csv", "one value"),
        (None, "probe_const_0.10.csv", "one value"),
        (None, "all_ones.csv.gz", "one value"),
        (None, "submission_all_zeros.csv", "one value"),
        (None, "const0.5.csv", "one value"),
        (None, "sub_constant_1.csv", "one value"),
        ("all zeros", "a.csv", "one value"),
        ("All ones, to see the base rate", None, "one value"),
        ("constant 0.10", None, "one value"),
        ("const 0.5 baseline", None, "one value"),
        ("constant prediction of 0.27", None, "one value"),
        ("every row = 0.1", None, "one value"),
        ("predict all 0.5", None, "one value"),
        ("LB probe: fold 3 zeroed", None, "probe"),
        ("leaderboard probing", None, "probe"),
        ("probe rows 1-100", None, "probe"),
        ("probe 7", None, "probe"),
        (None, "probe_12.csv", "probe"),
        (None, "lb_probe_a.csv", "probe"),
    ],
)
def test_one_value_and_probes_by_their_names(description, file_name, kind):
    found = stated_content(description, file_name)
    assert found is not None
    assert found.kind == kind
    assert found.words


@pytest.mark.parametrize(
    "description",
    [
        "negative probe - smaller lexicon, discarded",
        "linear probe on DINOv2 features",
        "probe set of 200 images",
        "probing classifier over layers",
        "exploratory probe of depth 8",
        "all zeros removed from the target",
        "all ones in the mask filled",
        "zero-shot prompt",
        "ones-hot typo fixed",
        "constant learning rate 0.10",
        "constant 0.10 learning rate",
        "lgb with all 12 features",
        "only 1 fold",
        "",
        None,
    ],
)
def test_a_word_alone_is_no_accusation(description):
    assert stated_content(description, "submission.csv") is None


@pytest.mark.parametrize(
    "file_name",
    [
        "zero_shot.csv",
        "lgb_zeros_fixed.csv",
        "model_0.5.csv",
        "all_0.csv.txt.py",
        "probe_net.csv",
    ],
)
def test_names_of_models(file_name):
    found = stated_content(None, file_name)
    assert found is None or file_name.startswith("all_0")
