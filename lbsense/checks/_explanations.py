"""What each finding means, why it fires, when it is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["TEXTS", "Text"]


class Text(NamedTuple):
    """The four parts of an explanation, each a few plain sentences."""

    meaning: str
    why: str
    wrong: str
    remedy: str


TEXTS: Mapping[str, Text] = {
    "LBS201": Text(
        "What your CV says of a change and what the leaderboard says of it have little "
        "to do with each other, in a history in which they could have agreed.",
        "The rank correlation of CV gains and public gains is not shown to be above 0 "
        "(one-sided 10%), though a CV that correlates by .8 with the true gains would "
        "be seen in 19 of 20 such histories.",
        "One history in twenty whose CV is just good enough to be seen. Also where "
        "many parents are wrong, so that gains are taken against the wrong submission.",
        "Do not choose by this CV until it follows. Look for a split that differs from "
        "that of the test (time, groups, duplicates), for a leak, and for a metric "
        "that is not that of the leaderboard.",
    ),
    "LBS202": Text(
        "Your steps are too small, or too few, for anyone to see whether CV and public "
        "score agree. A low correlation here accuses nobody.",
        "Even a CV that correlates by .8 with the true gains would be told from chance "
        "in fewer than 19 of 20 such histories.",
        "It rests on an estimate of how large the true gains are; on a plateau that is "
        "nearly always right.",
        "Judge the split by what you know of the data, not by this correlation. A few "
        "deliberately different submissions, one of them weak, tell more than many "
        "small ones.",
    ),
    "LBS203": Text(
        "Public scores lie above or below CV by more than the choice of rows explains.",
        "The mean of public minus CV exceeds 3.3 standard errors of a difference on so "
        "many public and training rows.",
        "CV trains on fewer rows than the final model, and an ensemble of folds is "
        "better than one fold: a steady small distance is normal. Grouped rows carry "
        "fewer independent ones than the sizes say.",
        "If the distance is the same for all submissions, gains are still comparable. "
        "Find out whether the test differs from the training data (adversarial "
        "validation, dates), and expect a wider private band: shift_sd in analyze.",
    ),
    "LBS204": Text(
        "CV scores from before and after the change do not measure the same thing.",
        "Descriptions name two kinds of validation, or the CV scores fall into two "
        "groups far apart (data warning LBS108).",
        "Where only the wording changed, as from `cv` to `oof`.",
        "Recompute the CV of the submissions that matter under one scheme, or analyse "
        "both parts as histories of their own.",
    ),
    "LBS301": Text(
        "Most of the submissions that set a new best public score did so by luck.",
        "Summed over the new bests, the probability that the true score did not rise "
        "by an amount worth naming is more than half of their number.",
        "The share has an error of about a tenth. It leans on CV: a CV that leaks "
        "makes luck look real, one that does not transfer makes real gains look like "
        "luck.",
        "Stop taking a new public best for progress. Keep a change that CV supports, "
        "and drop changes that only the leaderboard likes.",
    ),
    "LBS302": Text(
        "The latest submissions taught you nothing that can be told from chance.",
        "Over the last eight judged steps the mean probability of no gain is at least "
        "80% and none of them is a real gain. Without CV: the last 20 public scores "
        "might as well stand in any order, by the number of records and by Kendall's "
        "tau (2.5% each).",
        "Small true gains can hide in the noise of a small public set: absence of "
        "evidence is no evidence of absence. And it works one way only: scores that do "
        "rise prove nothing, since whoever builds on the best public score climbs on "
        "noise as well.",
        "Change something larger, validate it offline, and spend submissions on it "
        "only then: `lbsense gate`.",
    ),
    "LBS303": Text(
        "Of no step can be said that it was a real gain, at one false claim in ten.",
        "There are at least eight judged steps, and the list of real gains is empty.",
        "Power is limited: on 1,000 public rows most honest small gains are missed, "
        "one by one. Together they may still add up: see the true climb in LBS301.",
        "Provide what sharpens the verdicts (out-of-fold predictions, sizes), or "
        "prefer changes large enough to be seen.",
    ),
    "LBS304": Text(
        "Some public gains are larger than luck, while a CV that has followed the "
        "leaderboard so far says that nothing was gained.",
        "Public minus CV gain passes a test at 10% false discoveries, the estimated "
        "true gain is not worth naming, and CV gains have correlated with public gains "
        "over at least eight steps.",
        "One in ten of the steps named is expected to be luck. A change that helps on "
        "the test alone (a leak, a calibration to its distribution) looks the same and "
        "may hold on private rows.",
        "Do not build on these steps without a reason that would hold on private rows.",
    ),
    "LBS305": Text(
        "The best public score is the luckiest of many and will not be reached again.",
        "The posterior mean of its true score is more than one standard error of a "
        "public score below it.",
        "Without CV the amount rests on what is typical of other histories. Under a "
        "shift between public and private rows anything may happen.",
        "Expect the lower number. Choose finals by `lbsense pick`, not by public rank.",
    ),
    "LBS306": Text(
        "A leaderboard that hides rises within the noise would have hidden most of "
        "yours.",
        "The parameter-free Ladder shows a score only where it beats the last one "
        "shown by a standard error of their difference; it shows fewer than half of "
        "the new bests.",
        "It is a replay of scores, not a test: what it shows is luck in a third of all "
        "cases or more, and what it hides may be real.",
        "Take it as a habit: between two scores closer than the noise of a step, "
        "nothing happened.",
    ),
    "LBS307": Text(
        "A run of at least five submissions differs in one number of the description, "
        "or came within minutes of each other without a real change.",
        "Descriptions are compared without counters and scores; two weights that keep "
        "their sum count as one number. Minutes count only between steps that are "
        "neither real gains nor setbacks.",
        "Several different models sent in one sitting look like a burst. What is not "
        "written in the description is not seen.",
        "Tune offline. Each such submission costs a slot and adds luck to the best of "
        "them, hardly ever knowledge.",
    ),
    "LBS308": Text(
        "Training again, or a new seed, moves your score as much as your ideas do.",
        "The standard error of the difference of two runs of one submission exceeds "
        "the median public change of all other steps.",
        "Few repeats give a rough spread; two submissions under one description may "
        "differ in more than a seed.",
        "Average seeds or folds before comparing ideas; compare ideas on the same "
        "seeds.",
    ),
    "LBS311": Text(
        "Pairs of files are the same but for a few rows, and their scores differ: what "
        "reading single test labels looks like.",
        "Two files differ in at most 20 rows or one row in a thousand, whichever is "
        "more.",
        "A repair of a few rows, a rule for rare cases, or a late fix of broken values "
        "looks the same. This is a pattern in files, not a verdict on a person.",
        "If it was a repair, nothing. Scores of such pairs tell nothing about models; "
        "many competitions forbid probing.",
    ),
    "LBS312": Text(
        "At least two submissions hold hardly any prediction: one value, two values, "
        "or one value but for a few rows; or they call themselves a probe.",
        "Such files ask the leaderboard about the labels (their mean, or that of a few "
        "rows) rather than predict.",
        "Two constant baselines are common and harmless. Files of labels may hold two "
        "values: for such metrics only constant files count.",
        "Nothing, if they were baselines. Estimate the base rate offline where you "
        "can.",
    ),
    "LBS313": Text(
        "More score changes than noise gives are worth exactly one to three rows.",
        "At least five such moves of a score that counts rows, where rounded noise of "
        "a step has a chance below one in a thousand of so many.",
        "Very similar submissions (seeds, thresholds) move few rows honestly; the "
        "noise of a typical step then is too large a yardstick.",
        "If you changed single rows by hand, their scores say nothing about models.",
    ),
    "LBS314": Text(
        "At least four weights of one blend were tried on the leaderboard.",
        "Descriptions that differ only in a weight (`0.3/0.7`, `w=0.4`), or submitted "
        "files that lie on one line.",
        "The weights may have been planned beforehand. A word such as `ratio` may mean "
        "something else than a blend.",
        "Fit the weight on out-of-fold predictions: they have more rows, and the best "
        "of several public scores is inflated.",
    ),
    "LBS401": Text(
        "The better of your selected submissions fell short of your best private score "
        "by more than luck explains.",
        "The loss exceeds twice what the recommended pair was expected to lose, plus "
        "one standard error of a private step.",
        "After the fact some submission is always best; a loss just above the "
        "threshold says little about how you chose.",
        "Compare the rules in the retrospective; next time let `lbsense pick` weigh CV "
        "and public score.",
    ),
    "LBS402": Text(
        "The best public submission scored outside the 95% band that was foretold from "
        "public and CV scores alone.",
        "A shift between public and private rows, grouped rows, or a model of the "
        "noise that does not fit this competition.",
        "One history in twenty by chance.",
        "Look at LBS403: if all submissions moved together it is a shift. Allow for it "
        "with shift_sd.",
    ),
    "LBS403": Text(
        "All private scores lie above or below the public ones by more than a random "
        "split makes them.",
        "The mean difference exceeds 3.3 standard errors of a difference on so many "
        "public and private rows. It is shared by everyone and is no overfitting.",
        "Sizes that are wrong, grouped rows, or a metric with heavy tails make the "
        "standard error too small.",
        "Compare submissions with each other, not public with private. The split was "
        "probably by time or group; validate likewise.",
    ),
}
