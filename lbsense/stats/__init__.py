"""Arrays in, results out: no history, no path and no picture is known here."""

from lbsense.stats.candidate import candidate_gain
from lbsense.stats.fusion import fuse_history
from lbsense.stats.history.agreement import (
    AgreementResult,
    RankCorrelationResult,
    attainable_z,
    common_offset,
    gain_agreement,
    rank_correlation,
    visible_correlation,
)
from lbsense.stats.history.deming import DemingResult, deming_line
from lbsense.stats.history.patterns import (
    few_row_moves,
    few_row_pairs,
    longest_line,
    new_bests,
    order_test,
    records_test,
    value_counts,
)
from lbsense.stats.history.resolution import (
    LadderResult,
    QueryLimitsResult,
    ResolutionResult,
    ladder_replay,
    public_resolution,
    query_limits,
)
from lbsense.stats.history.retrospect import (
    BandCoverageResult,
    GapSplitResult,
    HindsightResult,
    RuleOutcome,
    band_coverage,
    gap_split,
    hindsight,
    ordinary_gaps,
    rule_outcomes,
)
from lbsense.stats.level_noise import LevelNoise, row_noise, tree_noise
from lbsense.stats.levels import LevelPosteriorResult, level_posterior
from lbsense.stats.luck import LuckResult, luck_of_bests
from lbsense.stats.noise_grid import (
    PRIOR_DISTINCTNESS,
    NoiseGrid,
    fixed_noise,
    known_noise,
    learned_noise,
    prior_noise,
    reference_luck,
    repeat_noise,
)
from lbsense.stats.outlook import PrivateOutlookResult, private_outlook, private_rows
from lbsense.stats.picks import PairResult, PicksResult, best_pair
from lbsense.stats.rows.bootstrap import bootstrap
from lbsense.stats.rows.counts import resample_confusion
from lbsense.stats.rows.joint import JointNoiseResult, joint_noise
from lbsense.stats.rows.resampled import ResampledResult
from lbsense.stats.rows.unlabelled import (
    UnlabelledNoiseResult,
    disagreement_noise,
    residual_noise,
    soft_label_noise,
)
from lbsense.stats.steps import (
    StepMoments,
    StepPosteriorResult,
    bayes_fdr_list,
    step_posterior,
)

__all__ = [
    "PRIOR_DISTINCTNESS",
    "AgreementResult",
    "BandCoverageResult",
    "DemingResult",
    "GapSplitResult",
    "HindsightResult",
    "JointNoiseResult",
    "LadderResult",
    "LevelNoise",
    "LevelPosteriorResult",
    "LuckResult",
    "NoiseGrid",
    "PairResult",
    "PicksResult",
    "PrivateOutlookResult",
    "QueryLimitsResult",
    "RankCorrelationResult",
    "ResampledResult",
    "ResolutionResult",
    "RuleOutcome",
    "StepMoments",
    "StepPosteriorResult",
    "UnlabelledNoiseResult",
    "attainable_z",
    "band_coverage",
    "bayes_fdr_list",
    "best_pair",
    "bootstrap",
    "candidate_gain",
    "common_offset",
    "deming_line",
    "disagreement_noise",
    "few_row_moves",
    "few_row_pairs",
    "fixed_noise",
    "fuse_history",
    "gain_agreement",
    "gap_split",
    "hindsight",
    "joint_noise",
    "known_noise",
    "ladder_replay",
    "learned_noise",
    "level_posterior",
    "longest_line",
    "luck_of_bests",
    "new_bests",
    "order_test",
    "ordinary_gaps",
    "prior_noise",
    "private_outlook",
    "private_rows",
    "public_resolution",
    "query_limits",
    "rank_correlation",
    "records_test",
    "reference_luck",
    "repeat_noise",
    "resample_confusion",
    "residual_noise",
    "row_noise",
    "rule_outcomes",
    "soft_label_noise",
    "step_posterior",
    "tree_noise",
    "value_counts",
    "visible_correlation",
]
