"""Arrays in, results out: no history, no path and no picture is known here."""

from lbsense.stats.boards.forecast import (
    BoardDraws,
    ExpectedShakeUpResult,
    board_draws,
    copula_draws,
    expected_shake_up,
    shared_scores,
)
from lbsense.stats.boards.noise import PairNoiseResult, pair_noise
from lbsense.stats.boards.places import (
    MedalPlaces,
    PlacesResult,
    RankSetResult,
    StandingResult,
    medal_places,
    places,
    rank_sets,
    standing,
    tie_groups,
)
from lbsense.stats.boards.shakeup import (
    ShakeUpResult,
    copula_shake_up,
    mean_ranks,
    shake_up,
    shake_up_of_ranks,
)
from lbsense.stats.history.agreement import (
    AgreementResult,
    GuideResult,
    RankCorrelationResult,
    attainable_z,
    better_guide,
    common_offset,
    gain_agreement,
    rank_correlation,
    visible_correlation,
)
from lbsense.stats.history.candidate import candidate_gain
from lbsense.stats.history.climb import ClimbResult, jumps_of_climb
from lbsense.stats.history.deming import DemingResult, deming_line
from lbsense.stats.history.expectations import (
    CountResult,
    ExpectationResult,
    count_of,
    expectation_calibration,
    information_of,
)
from lbsense.stats.history.few import ScoreGapResult, rows_to_tell, score_gap
from lbsense.stats.history.levels import LevelPosteriorResult, level_posterior
from lbsense.stats.history.luck import LuckResult, luck_of_bests
from lbsense.stats.history.online import (
    OnlineMethod,
    OnlineResult,
    gain_evalue,
    online_discoveries,
)
from lbsense.stats.history.outlook import (
    DifferenceBandsResult,
    PrivateOutlookResult,
    difference_bands,
    open_quantile,
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
from lbsense.stats.history.picks import (
    PairResult,
    PicksResult,
    best_pair,
    usual_rules,
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
    ordinary_gaps,
    rule_outcomes,
)
from lbsense.stats.history.spread import Covariance
from lbsense.stats.history.value import (
    SettleResult,
    SettleWay,
    needed_to_settle,
    p_settled,
    repeated_noise,
    value_of_look,
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
    "BoardDraws",
    "ClimbResult",
    "CountResult",
    "Covariance",
    "DemingResult",
    "DifferenceBandsResult",
    "ExpectationResult",
    "ExpectedShakeUpResult",
    "GapSplitResult",
    "GuideResult",
    "HindsightResult",
    "JointNoiseResult",
    "LadderResult",
    "LevelPosteriorResult",
    "LuckResult",
    "MedalPlaces",
    "OnlineMethod",
    "OnlineResult",
    "PairNoiseResult",
    "PairResult",
    "PicksResult",
    "PlacesResult",
    "PrivateOutlookResult",
    "QueryLimitsResult",
    "RankCorrelationResult",
    "RankSetResult",
    "ResampledResult",
    "ResolutionResult",
    "RuleOutcome",
    "ScoreGapResult",
    "SettleResult",
    "SettleWay",
    "ShakeUpResult",
    "Source",
    "StandingResult",
    "StepNoise",
    "StepPosteriorResult",
    "UnlabelledNoiseResult",
    "attainable_z",
    "band_coverage",
    "bayes_fdr_list",
    "best_pair",
    "better_guide",
    "board_draws",
    "bootstrap",
    "candidate_gain",
    "common_offset",
    "copula_draws",
    "copula_shake_up",
    "count_of",
    "deming_line",
    "difference_bands",
    "disagreement_noise",
    "expectation_calibration",
    "expected_shake_up",
    "few_row_moves",
    "few_row_pairs",
    "gain_agreement",
    "gain_evalue",
    "gap_split",
    "information_of",
    "joint_noise",
    "jumps_of_climb",
    "ladder_replay",
    "level_posterior",
    "longest_line",
    "luck_of_bests",
    "mean_ranks",
    "medal_places",
    "needed_to_settle",
    "new_bests",
    "online_discoveries",
    "open_quantile",
    "order_test",
    "ordinary_gaps",
    "p_settled",
    "pair_noise",
    "places",
    "private_outlook",
    "private_rows",
    "public_resolution",
    "query_limits",
    "rank_correlation",
    "rank_sets",
    "records_test",
    "repeat_noise",
    "repeated_noise",
    "resample_confusion",
    "residual_noise",
    "rows_to_tell",
    "rule_outcomes",
    "score_gap",
    "shake_up",
    "shake_up_of_ranks",
    "shared_scores",
    "soft_label_noise",
    "standing",
    "step_posterior",
    "tie_groups",
    "usual_rules",
    "value_counts",
    "value_of_look",
    "visible_correlation",
]
