"""More than one history in words: a whole leaderboard, several histories."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lbsense._format import (
    clean_text,
    format_gain,
    format_number,
    format_probability,
    plural,
    shorten,
)
from lbsense._result import Missing
from lbsense.model import Leaderboard
from lbsense.stats import (
    PUBLISHED_BY,
    BoardResult,
    EstimateResult,
    MovementResult,
    PlanCell,
    PooledResult,
    StandingResult,
    published_noise,
)
from lbsense.words.parts import (
    FIGURES,
    Board,
    Habits,
    Reader,
    figure_told,
    in_unit,
    why,
)

_BASIS = {
    "told": "the noise that you state",
    "pairs": "how far teams of one level moved between the boards",
    "metric": "metric and number of rows, with the part that teams do not share",
    "history": "the noise of the team's own history",
    "published": "finished competitions of this kind alone",
}
_SIGNS = {
    "gone": "more than a quarter of the teams have no private score",
    "pile": "many teams of different public scores share one private score",
    "perfect": "somebody reached the best possible public score and nobody the private",
    "sampling": "scores differ far more than drawing rows can make them",
    "spread": "private scores are far noisier than their number of rows makes them",
    "stretch": "one board spreads the same teams wider than noise can",
    "unrelated": "the order of one board says next to nothing of the other",
}


def board_headline(found: BoardResult) -> str:
    """Return what a board says in one sentence."""
    teams = plural(found.n_teams, "team")
    expected = found.expected
    band = f"{_share(expected.low95)} to {_share(expected.high95)}"
    if not found.shake_up:
        places = expected.expected * found.n_teams
        return (
            f"{teams}: expect a shake-up of {_share(expected.expected)} "
            f"(95%: {band}), {_places(places)} for a typical team."
        )
    told = f"{teams}: the shake-up of {_share(found.shake_up.statistic)}"
    if _is_two_stage(found):
        return f"{told} is that of another test: public and private are two stages."
    if found.noise.basis == "published":
        return f"{told}; in finished competitions of this kind it was {band}."
    if found.verdict == "as much":
        return f"{told} is as much as this split must give by noise alone ({band})."
    if found.verdict == "more":
        return f"{told} is more than noise alone gives ({band})."
    return f"{told} is less than noise alone gives ({band})."


def board_entries(
    board: Leaderboard,
    found: BoardResult,
    standing: StandingResult | Missing,
    team: str,
    movement: MovementResult | Missing,
) -> list[tuple[str, str]]:
    """Return what a board says: a heading and a sentence each."""
    return [
        ("Board", _board(board, found)),
        *_shake_up(found),
        ("Expected", _expected(found)),
        ("Noise", _noise(found)),
        *_two_stage(found),
        *_published(board, found),
        ("Ladder", _ladder(found)),
        *_team(found, standing, team),
        *_movement(board, found, movement),
    ]


def _share(value: float) -> str:
    return format_number(value, digits=2 if value < 0.1 else 3)


def _places(value: float) -> str:
    return plural(max(1, round(value)), "place")


def _is_two_stage(found: BoardResult) -> bool:
    return bool(found.pairs) and bool(getattr(found.pairs, "two_stage", ()))


def _board(board: Leaderboard, found: BoardResult) -> str:
    told = [f"{plural(found.n_teams, 'team')}, {found.n_both:,} with both scores"]
    if board.matched_by:
        told.append(f"joined by {board.matched_by}")
    if board.competition.better:
        told.append(board.competition.better)
    if found.noise.shared:
        told.append(
            f"private scores cover the public rows too ({found.noise.shared:.0%} of "
            "theirs)"
        )
    if found.largest_copy > 2:
        told.append(
            f"{plural(found.n_distinct, 'different submission')} (one is shared by "
            f"{plural(found.largest_copy, 'team')})"
        )
    if board.benchmarks:
        told.append(f"{plural(len(board.benchmarks), 'benchmark')} left out")
    return f"{', '.join(told)}."


def _shake_up(found: BoardResult) -> list[tuple[str, str]]:
    moved = found.shake_up
    if not moved:
        return []
    text = (
        f"{_share(moved.statistic)} of the board for a typical team "
        f"({_places(moved.statistic * moved.n_obs)}), {_share(moved.top)} for the best "
        "tenth. Rank correlation "
        f"{format_number(moved.spearman, digits=3)} (Spearman), "
        f"{format_number(moved.kendall, digits=3)} (Kendall). Of the public best tenth "
        f"{format_probability(moved.stayed_in_top)} stayed in it."
    )
    return [("Shake-up", text)]


def _expected(found: BoardResult) -> str:
    expected = found.expected
    text = (
        f"Noise alone gives {_share(expected.expected)} (80%: "
        f"{_share(expected.low80)} to {_share(expected.high80)}; 95%: "
        f"{_share(expected.low95)} to {_share(expected.high95)}), for the best tenth "
        f"{_share(expected.top_expected)} ({_share(expected.top_low95)} to "
        f"{_share(expected.top_high95)}). "
        f"It rests on {_BASIS[found.noise.basis]}."
    )
    happened = found.shake_up
    if happened and found.noise.basis == "pairs" and found.verdict == "more":
        text += " The rest is not what a few rows more or less do: teams fell or rose."
    return text


def _noise(found: BoardResult) -> str:
    noise = found.noise
    if noise.noise is None:
        return (
            "Not known in scores. Metric, test rows and public share, or the private "
            "board, would tell it."
        )
    typical = noise.typical
    text = (
        f"A public score has a standard error of {format_number(typical, digits=2)} "
        f"against the other teams, the difference of two "
        f"{format_number(math.sqrt(2) * typical, digits=2)}."
    )
    pairs = found.pairs
    if pairs and noise.basis == "pairs":
        text += (
            f" In the best tenth {format_number(pairs.top_se, digits=2)}. All teams "
            f"moved by {format_gain(pairs.offset)} together."
        )
        if pairs.like_nested:
            text += (
                " Private scores behave as if they covered the public rows too: say so "
                "where the rules do."
            )
        if pairs.scale != 1:
            text += (
                " Public and private scores are on different scales: one public unit "
                f"is {format_number(pairs.scale, digits=2)} private ones."
            )
        if pairs.far_fraction > 0.02:
            text += (
                f" {format_probability(pairs.far_fraction)} of the pairs moved by more "
                "than four standard errors."
            )
    return text


def _two_stage(found: BoardResult) -> list[tuple[str, str]]:
    if not _is_two_stage(found):
        return []
    signs = "; ".join(_SIGNS[sign] for sign in getattr(found.pairs, "two_stage", ()))
    text = (
        f"{signs[:1].upper()}{signs[1:]}. The private board looks like another test, "
        "not another sample of one: what is said of noise does not hold for it."
    )
    return [("Two stages", text)]


def _published(board: Leaderboard, found: BoardResult) -> list[tuple[str, str]]:
    if found.shake_up and found.noise.basis != "published":
        return []
    share = board.competition.public_fraction
    known = published_noise(share)
    assert known.quantiles is not None
    low, middle, high = (1 - known.quantiles[level] for level in (0.75, 0.5, 0.25))
    kind = "" if share is None else f" with about {share:.0%} public rows"
    text = (
        f"Over {plural(known.n_published, 'finished competition')}{kind} the rank "
        f"correlation was {format_number(middle, digits=3)}, in half of them "
        f"{format_number(low, digits=3)} to {format_number(high, digits=3)} "
        f"({PUBLISHED_BY}). Notebook competitions with a hidden test moved most. "
        f"This board: {format_number(found.expected.spearman, digits=3)} expected."
    )
    return [("Published", text)]


def _ladder(found: BoardResult) -> str:
    group = found.group
    sizes = [int((group == number).sum()) for number in range(1, int(group.max()) + 1)]
    told, first = [], 1
    for size in sizes[:4]:
        last = first + size - 1
        told.append(str(first) if first == last else f"{first} to {last}")
        first = last + 1
    rest = f", and {plural(len(sizes) - 4, 'group')} below" if len(sizes) > 4 else ""
    return (
        f"{plural(len(sizes), 'step')} of teams that cannot be told apart from the "
        f"best of their step: places {', '.join(told)}{rest}."
    )


def _team(
    found: BoardResult, standing: StandingResult | Missing, team: str
) -> list[tuple[str, str]]:
    if isinstance(standing, Missing):
        return [("Team", standing.reason)] if team else []
    medals = found.places.medals
    name = shorten(clean_text(team), 40)
    own = (
        f"{name} is {_ordinal(standing.public_rank)} of {found.n_teams:,} and cannot "
        f"be told apart from {plural(standing.n_alike - 1, 'other team')}. Its true "
        f"place is {standing.true_low} to {standing.true_high} (95%; with all teams at "
        f"once {standing.set_low} to {standing.set_high})."
    )
    before = "Expect" if not found.shake_up else "From the public board was to expect"
    reveal = (
        f"{before} place {standing.private_low} to {standing.private_high} (80%), in "
        f"the middle {standing.private_median}."
    )
    chance = (
        f"Gold (to {medals.gold}) {format_probability(standing.p_gold)}, silver or "
        f"better (to {medals.silver}) {format_probability(standing.p_silver)}, bronze "
        f"or better (to {medals.bronze}) {format_probability(standing.p_bronze)}."
    )
    prizes = ", ".join(
        f"{_ordinal(place)} {format_probability(p)}"
        for place, p in enumerate(standing.p_place, 1)
    )
    return [
        ("Team", own),
        ("Reveal", reveal),
        ("Medals", chance),
        *([("Prizes", f"Chance of each place: {prizes}.")] if prizes else []),
    ]


def _ordinal(value: float) -> str:
    number = int(value)
    if value != number:
        return f"about {number}th"
    ending = "th"
    if number % 100 not in (11, 12, 13):
        ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def _movement(
    board: Leaderboard, found: BoardResult, moved: MovementResult | Missing
) -> list[tuple[str, str]]:
    if not moved:
        return []
    noise = found.noise.typical
    text = f"{plural(moved.n_steps, 'improvement')} of all teams"
    if math.isfinite(noise):
        text += (
            f", {format_probability(moved.small_fraction)} of them below the noise of "
            f"a difference. In the second half the best score gained "
            f"{format_gain(moved.gain)}, "
            f"{format_number(moved.gain_in_noise, digits=2)} standard errors; "
            f"{plural(moved.n_looks, 'look')} at scores that differ by noise alone "
            f"would put the best {format_number(moved.optimism, digits=2)} too high"
        )
    told = [("Movement", f"{text}.")]
    if moved.climbers:
        names = [
            f"{shorten(clean_text(board.team_names[i]), 30)} ({n})"
            for i, n in zip(moved.climbers[:5], moved.climbed, strict=False)
        ]
        told.append(
            ("Small steps", f"Many improvements below the noise: {', '.join(names)}.")
        )
    return told


def host_headline(found: BoardResult, n_prizes: int, n_in_reach: int) -> str:
    """Return what a competition says to its host in one sentence."""
    moved = found.shake_up
    shake = f"shake-up {_share(moved.statistic)}, " if moved else ""
    return (
        f"{plural(found.n_teams, 'team')}: {shake}"
        f"{plural(n_in_reach, 'team')} within noise of {plural(n_prizes, 'prize')}."
    )


def host_entries(
    *,
    n_prizes: int,
    in_reach: Sequence[str],
    winner_sure: bool,
    chased: Sequence[str],
    plan: Sequence[PlanCell],
) -> list[tuple[str, str]]:
    """Return what a competition says to its host: a heading and a sentence each."""
    winner = (
        "The winner is truly the best."
        if winner_sure
        else "Who is truly the best cannot be told."
    )
    told = [
        (
            "Prizes",
            f"{winner} Within noise of one of {plural(n_prizes, 'prize')}: "
            f"{_names(in_reach)} (95%, for all teams at once).",
        ),
        (
            "Chased",
            f"{plural(len(chased), 'team')} have a best public score that promised "
            "more than choosing the luckiest of their submissions explains"
            f"{': ' + _names(chased) if chased else ''}. About one in ten is expected "
            "to be named wrongly.",
        ),
    ]
    best = [cell for cell in plan if cell.size_factor == 1]
    told += [
        (
            "Plan" if cell is best[0] else "",
            f"With {cell.public_fraction:.0%} public rows noise alone gives a shake-up "
            f"of {_share(cell.shake_up)}, keeps {format_probability(cell.top_kept)} of "
            "the truly best ten there, and lets the best win in "
            f"{format_probability(cell.best_wins)}.",
        )
        for cell in best
    ]
    return told


def _names(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(shorten(clean_text(name), 30) for name in names[:most])
    rest = len(names) - most
    return f"{shown} and {rest:,} more" if rest > 0 else shown or "nobody"


def field_headline(groups: Sequence[Mapping[str, Any]]) -> str:
    """Return what finished competitions say in one sentence."""
    whole = groups[0]
    return (
        f"{plural(whole['n_competitions'], 'competition')}: half of them shook up by "
        f"{_share(whole['shake_up_25'])} to {_share(whole['shake_up_75'])}, the median "
        f"is {_share(whole['shake_up_50'])}."
    )


def field_entries(groups: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return what finished competitions say: a heading and a sentence each."""
    whole = groups[0]
    told = [
        (
            "Scores",
            f"{plural(whole['n_submissions'], 'submission')} with both scores: the "
            f"median slope of private on public is {format_number(whole['slope'])}, "
            f"over the best tenth {format_number(whole['slope_top'])}; public scores "
            f"promised {format_gain(whole['gap'])} standard deviations too much, "
            f"over the best tenth {format_gain(whole['gap_top'])}.",
        )
    ]
    headings = {
        "metric": "Metric",
        "kind": "Kind",
        "size": "Teams",
        "share": "Public share",
        "year": "Year",
        "notebooks_only": "Notebooks only",
    }
    for by, heading in headings.items():
        parts = [group for group in groups if group["by"] == by]
        if len(parts) < 2:
            continue
        parts.sort(key=lambda group: -group["shake_up_50"])
        first, last = parts[0], parts[-1]
        told.append(
            (
                heading,
                f"Most moved {shorten(str(first['group']), 40)} (median "
                f"{_share(first['shake_up_50'])} of {first['n_competitions']:,}), "
                f"least {shorten(str(last['group']), 40)} "
                f"({_share(last['shake_up_50'])} of {last['n_competitions']:,}).",
            )
        )
    return told


_FEW = 5  # histories: more make no habit of their own sure, fewer even less


def reasons(
    habits: Sequence[Habits],
    pooled: Mapping[str, PooledResult | Missing],
    reader: Reader = "page",
) -> list[str]:
    """Return why numbers are missing, those of one reason together."""
    whose: dict[tuple[str, str], list[str]] = {}
    for key, figure in FIGURES.items():
        if key == "learned" and not any(item.figures[key] for item in habits):
            continue  # nobody kept a ledger: nothing is missing
        for item in habits:
            reason = why(item.figures[key], reader)
            if reason:
                whose.setdefault((item.short_name, reason), []).append(figure.title)
        reason = why(pooled.get(key), reader)
        if reason:
            whose.setdefault(("All together", reason), []).append(figure.title)
    together: dict[tuple[str, str], list[str]] = {}
    for (name, reason), titles in whose.items():
        together.setdefault((", ".join(titles), reason), []).append(name)
    return [
        f"{titles} ({', '.join(names)}): {reason}"
        for (titles, reason), names in together.items()
    ]


def compare_headline(
    habits: Sequence[Habits],
    pooled: Mapping[str, PooledResult | Missing],
    apart: Mapping[str, EstimateResult | Missing],
    *,
    portfolio: bool,
) -> str:
    """Return the answer in one sentence.

    Parameters
    ----------
    habits : sequence of Habits
        Two or more.
    pooled : mapping
        Numbers of all histories together.
    apart : mapping
        Second history minus the first.
    portfolio : bool
        Whether all histories are one person's.
    """
    if portfolio:
        return _pooled_headline(habits, pooled)
    known = [
        (item.short_name, found)
        for item in habits
        if isinstance(found := item.figures["progress"], EstimateResult)
    ]
    if len(known) < 2:
        names = [i.short_name for i in habits if not i.figures["progress"]]
        return (
            f"{plural(len(habits), 'history', 'histories')} side by side; real gains "
            f"cannot be told for {', '.join(names)}."
        )
    known.sort(key=lambda item: (-item[1].value, item[0]))
    (best, most), (worst, least) = known[0], known[-1]
    told = (
        f"{figure_told('progress', most)} of the steps of {best} were real gains, "
        f"{figure_told('progress', least)} of those of {worst}"
    )
    if len(habits) == 2:
        found = apart["progress"]
        if isinstance(found, EstimateResult):
            sure = not found.ci_low <= 0 <= found.ci_high
            if not found.value:
                return f"{told}: no difference."
            verdict = "more than chance" if sure else "that may be chance"
            return f"{told}: {verdict}."
    return f"{told}."


#: How each number was made, for who checks it.
COMPARE_METHODS = (
    "Real gains: the sum of the probabilities of a true gain (private scores taken "
    "into account), with a Poisson binomial interval (Le Cam 1960) that allows for all "
    "of them being off together.",
    "Guesses: Wilson's interval (1927): how far the habit may lie from this share.",
    "Gain and luck: what public scores and CV say of the climb to the best public "
    "score, and private scores where both ends have one, weighed by their variances.",
    "Gain, luck and regret: 1.96 standard errors, luck cut to 0 to 100%; a regret of "
    "one or two standard errors is no mistake.",
    "Agreement: as in the analysis of one history.",
    "Differences: both histories taken for independent (Zou and Donner 2008). Two "
    "teams on one public set share luck: these intervals are rather too wide.",
    "All together: each history counts once; mean with the t interval (Shuster 2010); "
    "scores in standard errors of one public score.",
)


def compare_title(habits: Sequence[Habits], portfolio: bool) -> str:
    """Return what a comparison is called."""
    if portfolio:
        return f"Habits over {plural(len(habits), 'history', 'histories')}"
    if len(habits) > _FEW:
        return f"{plural(len(habits), 'history', 'histories')} side by side"
    names = [item.short_name for item in habits]
    return f"{', '.join(names[:-1])} and {names[-1]} side by side"


def compare_caption() -> str:
    """Return what table and picture show."""
    return (
        "Each number with its 95% interval; - is not known. Where intervals lie apart "
        "the histories differ by more than chance."
    )


def _pooled_headline(
    habits: Sequence[Habits], pooled: Mapping[str, PooledResult | Missing]
) -> str:
    count = plural(len(habits), "history", "histories")
    found = pooled["progress"]
    if not isinstance(found, PooledResult):
        return f"{count} together: too few of them tell how many steps were real gains."
    told = (
        f"Over {plural(found.n_histories, 'history', 'histories')} "
        f"{found.value:.0%} of the steps were real gains (95%: {found.ci_low:.0%} to "
        f"{found.ci_high:.0%})"
    )
    left = len(habits) - found.n_histories
    rest = f"; {left} more cannot tell" if left else ""
    few = (
        " That is few: expect the next one anywhere in between."
        if (found.n_histories < _FEW)
        else ""
    )
    return f"{told}{rest}.{few}"


def compare_entries(
    habits: Sequence[Habits],
    pooled: Mapping[str, PooledResult | Missing],
    apart: Mapping[str, EstimateResult | Missing],
    *,
    portfolio: bool,
) -> list[tuple[str, str]]:
    """Return a heading and a sentence for each number that says something."""
    told = []
    for key, figure in FIGURES.items():
        if portfolio:
            found = pooled[key]
            if isinstance(found, PooledResult):
                told.append((figure.title, _pooled_told(key, found)))
            continue
        if len(habits) == 2:
            between = apart[key]
            told_by_own = key == "regret_public" and habits[0].figures["regret"]
            if not isinstance(between, EstimateResult) or told_by_own:
                continue
            sure = not between.ci_low <= 0 <= between.ci_high
            board = Board(habits[0].facts.history)
            verdict = "more than chance" if sure else "that may be chance"
            text = f"{_apart_told(key, between, board, habits)}: {verdict}."
            told.append((figure.title, text if between.value else "no difference."))
    return told


def _apart_told(
    key: str, found: EstimateResult, board: Board, habits: Sequence[Habits]
) -> str:
    """Return which of two lies above the other, by how much, and how sure that is."""
    over, under = habits[1].short_name, habits[0].short_name
    ends = found.value, found.ci_low, found.ci_high
    if found.value < 0:
        over, under = under, over
        ends = -found.value, -found.ci_high, -found.ci_low
    value, low, high = (in_unit(key, part, board) for part in ends)
    points = " points" if FIGURES[key].unit == "share" else ""
    return f"{over} lies {value}{points} above {under} (95%: {low} to {high})"


def _pooled_told(key: str, found: PooledResult) -> str:
    text = figure_told(key, found)
    count = plural(found.n_histories, "history", "histories")
    unit = ""
    if FIGURES[key].unit == "score":
        unit = ", in standard errors (se) of one public score"
    spread = ""
    if found.spread > 0:
        size = (
            f"{100 * found.spread:.0f} points"
            if FIGURES[key].unit == "share"
            else format_number(found.spread, digits=2)
        )
        spread = f"; from history to history it varies by {size}"
    return f"{text} over {count}{unit}{spread}."


def history_told(item: Habits) -> str:
    """Return what a history is: its name, its competition, how many submissions."""
    competition = item.facts.history.competition
    parts = [
        clean_text(competition.slug or ""),
        clean_text(competition.metric or ""),
        plural(len(item.facts.steps), "submission"),
        f"level {item.facts.level}",
    ]
    return f"{item.short_name}: {', '.join(part for part in parts if part)}"
