"""Options that commands share, each written down once, and what they lead to."""

from __future__ import annotations

import dataclasses
import inspect
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_type_hints

import typer

from lbsense._files import check_output
from lbsense.cli.app import (
    ask,
    is_interactive,
    note,
    tell_doubts,
    tell_issues,
    working,
)

if TYPE_CHECKING:
    from lbsense.analysis import Analysis, BoardAnalysis
    from lbsense.model import History, Leaderboard, Predictions

#: What is said of a competition that a leaderboard is read with.
OF_BOARDS = (
    "metric",
    "greater_is_better",
    "test_size",
    "public_fraction",
    "nested",
    "slug",
)
_YES_NO = {"y": True, "yes": True, "n": False, "no": False}
_FIELD_AHEAD = re.compile(r",(?=\s*[A-Za-z_]+\s*=)")


def panel(name: str) -> Callable[..., Any]:
    """Return `typer.Option` for the options that help shows under one heading."""
    return partial(typer.Option, rich_help_panel=name)


_competition = panel("The competition")
_file = panel("The file")
_predictions = panel("Predictions")
_leaderboard = panel("The leaderboard")
output = panel("Output")


def parse_count(text: str) -> int:
    """Return a number of rows; thousands may be set off by commas or underscores."""
    digits = text.strip().replace(",", "").replace("_", "")
    if not digits.isdecimal() or int(digits) == 0:
        msg = f"{text!r} is not a number of rows, such as 20000."
        raise typer.BadParameter(msg)
    return int(digits)


def parse_fraction(text: str) -> float:
    """Return a share between 0 and 1, given as 0.3 or as 30%."""
    number = text.strip().removesuffix("%")
    try:
        share = float(number) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        share = float("nan")
    if not 0 < share <= 1:
        msg = f"{text!r} is not a share of the test set, such as 0.3 or 30%."
        raise typer.BadParameter(msg)
    return share


def parser_of(names: Sequence[str]) -> Callable[[str], str]:
    """Return what takes one of the names of a format."""

    def parse_format(text: str) -> str:
        name = text.strip().lower()
        if name not in names:
            msg = f"{text!r} is not one of {', '.join(names)}."
            raise typer.BadParameter(msg)
        return name

    return parse_format


def parse_noise(text: str) -> float:
    """Return a standard error above 0, in score units."""
    try:
        noise = float(text)
    except ValueError:
        noise = float("nan")
    if not 0 < noise < float("inf"):
        msg = f"{text!r} is not a noise above 0 in score units, such as 0.002."
        raise typer.BadParameter(msg)
    return noise


def parse_score(text: str) -> float:
    """Return a score, written with a decimal point or a decimal comma."""
    try:
        score = float(text.strip().replace(",", "."))
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        msg = f"{text!r} is not a score, such as 0.8123."
        raise typer.BadParameter(msg)
    return score


def parse_scores(text: str) -> tuple[float, ...]:
    """Return scores set off by commas or blanks."""
    return tuple(parse_score(part) for part in text.replace(",", " ").split())


#: What a command writes, and whether it may overwrite.
AsJson: TypeAlias = Annotated[
    bool, output("--json", help="JSON on stdout; `lbsense schema` describes it.")
]
Force: TypeAlias = Annotated[
    bool, output("--force", help="Overwrite files that are there.")
]
Title: TypeAlias = Annotated[
    str | None,
    output(
        "--title", metavar="TEXT", help="Title of the page; by default what it is of."
    ),
]
Team: TypeAlias = Annotated[
    str | None,
    _file(
        "--team",
        metavar="NAME",
        help="Your team, by name or id, where a file holds several.",
    ),
]
LedgerFile: TypeAlias = Annotated[
    str | None,
    _file(
        "--ledger",
        metavar="FILE",
        help="Ledger of `lbsense log` (or runs of MLflow, W&B): reasons, parents, "
        "folds, and which file is which.",
    ),
]
#: The sizes of a competition.
TestSize: TypeAlias = Annotated[
    int | None,
    _competition(
        "--test-size",
        parser=parse_count,
        metavar="ROWS",
        help="Rows of the whole test set, public and private.",
    ),
]
TrainSize: TypeAlias = Annotated[
    int | None,
    _competition(
        "--train-size",
        parser=parse_count,
        metavar="ROWS",
        help="Rows of the training set.",
    ),
]
PublicFraction: TypeAlias = Annotated[
    float | None,
    _competition(
        "--public-fraction",
        parser=parse_fraction,
        metavar="SHARE",
        help="Share of the test set behind the public score: 0.3 or 30%.",
    ),
]


def output_file(what: str, metavar: str = "FILE") -> Any:
    """Return the option that names what a command writes."""
    return output("--output", "-o", metavar=metavar, help=what)


def parse_columns(pairs: list[str] | None) -> dict[str, Any] | None:
    """Return field -> column of the file, from ``field=column`` pairs.

    A comma separates pairs only where a further ``field=`` follows, since a column may
    have a comma in its name. The columns of the fold scores are listed with commas;
    several CV scores are given one by one, the first one first.
    """
    columns: dict[str, Any] = {}
    for pair in (part for item in pairs or () for part in _FIELD_AHEAD.split(item)):
        field, found, column = (part.strip() for part in pair.partition("="))
        if not (field and found and column):
            msg = f"--columns: {pair!r} is not FIELD=COLUMN, such as public_score=LB."
            raise ValueError(msg)
        if field == "cv_fold_scores":
            names = [name.strip() for name in re.split("[,;]", column)]
            columns.setdefault(field, []).extend(names)
        elif field in ("cv", "cv_score"):
            columns.setdefault(field, []).append(column)
        elif field in columns:
            twice = f"{columns[field]!r} and {column!r}"
            msg = f"--columns: {field} is given twice, as {twice}."
            raise ValueError(msg)
        else:
            columns[field] = column
    return columns or None


def complete_metric(incomplete: str) -> list[str]:
    """Return the names of metrics that begin so, for the shell."""
    from lbsense.metrics import METRICS

    return [name for name in METRICS if name.startswith(incomplete)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetitionOptions:
    """What is known about a competition."""

    metric: Annotated[
        str | None,
        _competition(
            metavar="NAME",
            autocompletion=complete_metric,
            help="Metric of the leaderboard, such as roc_auc (see `lbsense metrics`).",
        ),
    ] = None
    higher_is_better: Annotated[
        bool,
        _competition(
            "--higher-is-better",
            help="Direction of the score, where no metric tells it.",
        ),
    ] = False
    lower_is_better: Annotated[
        bool, _competition("--lower-is-better", help="The opposite direction.")
    ] = False
    cv_better: Annotated[
        str | None,
        _competition(
            metavar="higher|lower",
            help="Direction of the CV score, if it is not that of the leaderboard.",
        ),
    ] = None
    test_size: TestSize = None
    train_size: TrainSize = None
    public_fraction: PublicFraction = None
    nested: Annotated[
        bool,
        _competition(
            "--nested",
            help="The private score covers the public rows too (old Zindi rules).",
        ),
    ] = False
    slug: Annotated[
        str | None,
        _competition(
            metavar="NAME",
            help="Name of the competition in its web address; completes what you do "
            "not say from Kaggle's facts of March 2022.",
        ),
    ] = None
    deadline: Annotated[
        str | None,
        _competition(metavar="TIME", help="End of the competition, UTC."),
    ] = None
    n_selections: Annotated[
        int | None,
        _competition(
            "--selections",
            parser=parse_count,
            metavar="N",
            help="Submissions that may be selected for the final ranking.",
        ),
    ] = None

    def stated(self) -> dict[str, Any]:
        """Return what was said, as the readers take it."""
        return {
            "metric": self.metric,
            "greater_is_better": self._direction(),
            "cv_greater_is_better": self._cv_direction(),
            "train_size": self.train_size,
            "test_size": self.test_size,
            "public_fraction": self.public_fraction,
            "nested": self.nested or None,
            "slug": self.slug,
            "deadline": self.deadline,
            "n_selections": self.n_selections,
        }

    def of_board(self) -> dict[str, Any]:
        """Return what of it the readers of leaderboards take."""
        stated = self.stated()
        return {name: stated[name] for name in OF_BOARDS}

    def _direction(self) -> bool | None:
        if self.higher_is_better and self.lower_is_better:
            msg = "--higher-is-better and --lower-is-better exclude each other."
            raise ValueError(msg)
        if self.higher_is_better or self.lower_is_better:
            return self.higher_is_better
        return None

    def _cv_direction(self) -> bool | None:
        if self.cv_better in ("higher", "lower", None):
            return None if self.cv_better is None else self.cv_better == "higher"
        msg = f"--cv-better must be higher or lower, got {self.cv_better!r}."
        raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOptions(CompetitionOptions):
    """Where a history and its predictions are, and what is known beside them."""

    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="The history: several files are pages of ONE history, - is stdin.",
        ),
    ]
    columns: Annotated[
        list[str] | None,
        _file(
            metavar="FIELD=COLUMN",
            help="Which column is what: public_score=LB,cv_score=valid. Several CV "
            "scores: cv=oof,cv=holdout.",
        ),
    ] = None
    table: Annotated[
        str | None,
        _file(
            metavar="N|HEADING",
            help="Which table of a document, where it holds several.",
        ),
    ] = None
    team: Team = None
    cv_log: Annotated[
        str | None,
        _file(
            metavar="FILE",
            help="Experiment log (MLflow, W&B, CSV) to take CV scores from.",
        ),
    ] = None
    ledger: LedgerFile = None
    cv_pattern: Annotated[
        str | None,
        _file(
            metavar="REGEX",
            help="How descriptions state the CV score, as in 'cv([0-9.]+)'.",
        ),
    ] = None

    predictions: Annotated[
        Path | None,
        _predictions(
            metavar="FOLDER",
            help="Folder of oof_<name>.csv, named as the submission files, or of these "
            "files alone: they tell the noise of every step.",
        ),
    ] = None
    labels: Annotated[
        Path | None,
        _predictions(
            metavar="FILE",
            help="Training labels by row id, if the prediction files do not hold them.",
        ),
    ] = None
    step_noise: Annotated[
        float | None,
        _competition(
            parser=parse_noise,
            metavar="SE",
            help="What you take for the standard error of the difference of two public "
            "scores: every verdict then holds as far as that does.",
        ),
    ] = None

    def sources(self) -> list[str]:
        """Return the files of the history, - for standard input."""
        return [*self.files, *(item for item in (self.cv_log, self.ledger) if item)]

    def inputs(self) -> list[str | Path]:
        """Return all that is read, - for standard input."""
        rows = (path for path in (self.predictions, self.labels) if path is not None)
        return [*self.sources(), *rows]

    def analysis(
        self,
        *,
        quiet: bool = False,
        ahead: bool = False,
        board: Callable[[History], Leaderboard | None] | None = None,
        **candidate: Path | None,
    ) -> tuple[Analysis, Predictions | None]:
        """Return what the history says, and its predictions.

        Its doubts are told unless ``quiet``. ``board`` reads the leaderboard beside it,
        which tells noise. With ``ahead`` it is what the next
        submission stands on, whose files (oof, test) are given by kind.
        """
        history, rows = self.read(), None
        if not quiet:
            tell_doubts(history)
        made = {kind: path for kind, path in candidate.items() if path is not None}
        if self.predictions is not None or made:
            with working("Reading predictions ..."):
                from lbsense.ingest import read_predictions

                rows = read_predictions(
                    self.predictions,
                    labels=self.labels,
                    history=history,
                    candidate=made,
                )
        elif self.labels is not None:
            msg = "--labels needs --predictions, the folder of the predictions."
            raise typer.BadParameter(msg)
        beside = None if board is None else board(history)
        with working("Analysing ..."):
            from lbsense.analysis import analyze, footing

            if ahead:
                return footing(history, rows, step_noise=self.step_noise), rows
            found = analyze(history, rows, board=beside, step_noise=self.step_noise)
            return found, rows

    def read(self) -> History:
        """Return the history, after asking for the direction if a person is there."""
        history = self._read()
        if history.competition.greater_is_better is not None or not history:
            return history
        again = all(Path(name).is_file() for name in self.sources())
        if again and is_interactive():
            return self._with_direction_asked()._read()
        also = [] if any(x.cv_score is not None for x in history) else ["CV scores"]
        also += [
            f"--{name.replace('_', '-')}"
            for name in ("test_size", "public_fraction")
            if getattr(history.competition, name) is None
        ]
        then = f" Then would help, most first: {', '.join(also)}." if also else ""
        note(
            "which way is the score better? Nothing in the file says it, so no step "
            "can be judged. Run again with --metric NAME (`lbsense metrics` lists "
            "them), or with --higher-is-better or --lower-is-better." + then,
            kind="Warning",
        )
        return history

    def _read(self) -> History:
        from lbsense.ingest import join_ledger, read_submissions

        stdin = " standard input" if "-" in self.files else ""
        with working(f"Reading{stdin} ..."):
            history = read_submissions(
                self._source(),
                **self.stated(),
                columns=parse_columns(self.columns),
                table=self.table,
                team=self.team,
                cv_pattern=self.cv_pattern,
                cv_log=self.cv_log,
            )
            return history if not self.ledger else join_ledger(history, self.ledger)

    def _source(self) -> Any:
        if "-" not in self.files:
            return self.files[0] if len(self.files) == 1 else self.files
        if len(self.files) > 1:
            msg = "Standard input (-) cannot be read together with other files."
            raise ValueError(msg)
        return sys.stdin.buffer

    def _with_direction_asked(self) -> HistoryOptions:
        from lbsense.metrics import find_metric

        note("Which way is the score better? Nothing in the file says it.")
        while name := ask("Metric, such as roc_auc or rmse (Enter if it has none):"):
            try:
                metric = find_metric(name).name
            except ValueError as error:
                note(str(error))
            else:
                note(f"Next time: --metric {metric}")
                return replace(self, metric=metric)
        while (answer := ask("Is a higher score better? [y/n]").lower()) not in _YES_NO:
            continue
        higher = _YES_NO[answer]
        note(f"Next time: --{'higher' if higher else 'lower'}-is-better")
        return replace(self, higher_is_better=higher, lower_is_better=not higher)


@dataclass(frozen=True, kw_only=True)
class BoardFiles:
    """The leaderboard beside a history."""

    board: Annotated[
        str | None,
        _leaderboard(metavar="FILE", help="The public board (see `lbsense board`)."),
    ] = None
    private_board: Annotated[
        str | None,
        _leaderboard(
            metavar="FILE",
            help="The private board: with the public one it tells the noise.",
        ),
    ] = None

    def inputs(self) -> list[str]:
        """Return the files that are read."""
        return [name for name in (self.board, self.private_board) if name is not None]

    def read(self, history: History, *, quiet: bool = False) -> Leaderboard | None:
        """Return the leaderboard, None where none was given."""
        if self.board is None:
            if self.private_board:
                msg = "--private-board needs --board, the public board."
                raise typer.BadParameter(msg)
            return None
        facts = {name: getattr(history.competition, name) for name in OF_BOARDS}
        return read_board(self.board, self.private_board, facts, quiet=quiet)


@dataclass(frozen=True, kw_only=True)
class BoardOptions(BoardFiles):
    """The leaderboard beside a history, and the team that the history is of."""

    board_team: Annotated[
        str | None,
        _leaderboard(metavar="NAME", help="Your team on it, by name or id."),
    ] = None

    def judge(self, analysis: Analysis) -> BoardAnalysis | None:
        """Return what the leaderboard says, None where none was given."""
        board = self.read(analysis.history, quiet=True)
        if board is None:
            if self.board_team:
                msg = "--board-team needs --board, the public board."
                raise typer.BadParameter(msg)
            return None
        from lbsense.analysis import analyze_board

        with working("Analysing the board ..."):
            return analyze_board(board, team=self.board_team, analysis=analysis)


def read_board(
    public: str, private: str | None, facts: dict[str, Any], *, quiet: bool = False
) -> Leaderboard:
    """Return the board in files, and say what of them was not understood."""
    from lbsense.ingest import read_leaderboard

    with working("Reading ..."):
        read = read_leaderboard(public, private, **facts)
    if not quiet:
        tell_issues(read.issues)
    return read


def check_target(
    output: Path, inputs: Iterable[str | os.PathLike[str]], *, force: bool
) -> None:
    """Raise where writing ``--output`` would lose an input or another file.

    A page that lbsense wrote is made anew: the same command runs twice.
    """
    if not force and output.exists():
        from lbsense.ingest import is_own_page

        force = is_own_page(output)
    try:
        check_output(output, inputs, force=force)
    except ValueError as error:
        msg = f"--output: {error}"
        raise ValueError(msg) from None


def write_page(
    found: object, target: Path, *, sources: Iterable[str] = (), **options: Any
) -> None:
    """Write a report, which names those of its sources that are files."""
    with working("Writing the report ..."):
        from lbsense.report import write_report

        files = [name for name in sources if Path(name).is_file()]
        write_report(found, target, sources=files, **options)  # type: ignore[arg-type]
    note(f"Written: {target}")


def expand_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command one option for every field of each option group that it takes.

    An option group is a dataclass whose fields are annotated as typer options. The
    command receives the finished group, so that ``def report(history: HistoryOptions,
    output: Path)`` is all that a new command needs to read a history.
    """
    own = inspect.signature(command, eval_str=True).parameters.values()
    groups: dict[str, Any] = {
        p.name: p.annotation for p in own if dataclasses.is_dataclass(p.annotation)
    }
    parameters: list[inspect.Parameter] = []
    for parameter in own:
        if parameter.name in groups:
            parameters += _fields(groups[parameter.name])
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    def expanded(**values: Any) -> None:
        for name, group in groups.items():
            taken = {f.name: values.pop(f.name) for f in dataclasses.fields(group)}
            values[name] = group(**taken)
        command(**values)

    expanded.__name__ = command.__name__
    expanded.__doc__ = command.__doc__
    expanded.__annotations__ = {p.name: p.annotation for p in parameters}
    expanded.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return expanded


def _fields(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=(
                inspect.Parameter.empty
                if field.default is dataclasses.MISSING
                else field.default
            ),
            annotation=hints[field.name],
        )
        for field in dataclasses.fields(group)
    ]
