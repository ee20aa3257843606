"""Arrays in, results out: no history, no path and no picture is known here."""

from lbsense.stats.history.agreement import (
    AgreementResult,
    RankCorrelationResult,
    attainable_z,
    common_offset,
    gain_agreement,
    rank_correlation,
    visible_correlation,
)
from lbsense.stats.history.candidate import candidate_gain
from lbsense.stats.history.deming import DemingResult, deming_line
from lbsense.stats.history.levels import LevelPosteriorResult, level_posterior
from lbsense.stats.history.luck import LuckResult, luck_of_bests
from lbsense.stats.history.outlook import (
    PrivateOutlookResult,
    private_outlook,
    private_rows,
)
from lbsense.stats.history.patterns import (
    few_row_moves,
    few_row_pairs,
    longest_line,
    new_bests,
    order_test,
    records_test,
    repeat_noise,
    value_counts,
)
from lbsense.stats.history.picks import PairResult, PicksResult, best_pair
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
    ordinary_gaps,
    rule_outcomes,
)
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
from lbsense.stats.steps.posterior import (
    StepPosteriorResult,
    bayes_fdr_list,
    step_posterior,
)
from lbsense.stats.steps.sources import Source, StepNoise

__all__ = [
    "AgreementResult",
    "BandCoverageResult",
    "DemingResult",
    "GapSplitResult",
    "HindsightResult",
    "JointNoiseResult",
    "LadderResult",
    "LevelPosteriorResult",
    "LuckResult",
    "PairResult",
    "PicksResult",
    "PrivateOutlookResult",
    "QueryLimitsResult",
    "RankCorrelationResult",
    "ResampledResult",
    "ResolutionResult",
    "RuleOutcome",
    "Source",
    "StepNoise",
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
    "gain_agreement",
    "gap_split",
    "joint_noise",
    "ladder_replay",
    "level_posterior",
    "longest_line",
    "luck_of_bests",
    "new_bests",
    "order_test",
    "ordinary_gaps",
    "private_outlook",
    "private_rows",
    "public_resolution",
    "query_limits",
    "rank_correlation",
    "records_test",
    "repeat_noise",
    "resample_confusion",
    "residual_noise",
    "rule_outcomes",
    "soft_label_noise",
    "step_posterior",
    "value_counts",
    "visible_correlation",
]
