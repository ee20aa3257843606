"""``lbsense simulate``: a competition whose truth is known, as its entrant holds it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from lbsense._format import plural
from lbsense.cli.console import ScreenOptions, note, print_entries, working
from lbsense.cli.options import expand_options, panel, parse_count

if TYPE_CHECKING:
    from lbsense.simulate import SimulatedCompetition

_world = panel("The competition")
_entrant = panel("The entrant")
_output = panel("Output")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioOptions:
    """The options of a scenario that are asked for most."""

    world: Annotated[
        str | None,
        _world(metavar="gaussian|trained", help="Errors drawn, or models trained."),
    ] = None
    metric: Annotated[
        str | None,
        _world(metavar="NAME", help="roc_auc, log_loss, accuracy, rmse or mae."),
    ] = None
    n_public: Annotated[
        int | None,
        _world(parser=parse_count, metavar="ROWS", help="Public test rows."),
    ] = None
    n_private: Annotated[
        int | None,
        _world(parser=parse_count, metavar="ROWS", help="Other test rows."),
    ] = None
    n_train: Annotated[
        int | None, _world(parser=parse_count, metavar="ROWS", help="Training rows.")
    ] = None
    n_submissions: Annotated[
        int | None, _entrant(parser=parse_count, metavar="N", help="Submissions.")
    ] = None
    policy: Annotated[
        str | None,
        _entrant(
            metavar="NAME",
            help="What the next one is built on: public, cv, both, previous or random.",
        ),
    ] = None
    null_fraction: Annotated[
        float | None,
        _entrant(metavar="SHARE", help="Share of ideas that are worth nothing."),
    ] = None

    def given(self) -> dict[str, Any]:
        """Return the options that were given."""
        return {
            name: value for name, value in asdict(self).items() if value is not None
        }


@expand_options
def simulate(
    screen: ScreenOptions,
    output: Annotated[
        Path,
        _output(
            "--output",
            "-o",
            metavar="DIR",
            help="Folder to write into; made if need be.",
        ),
    ],
    scenario: ScenarioOptions,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="honest_climber, leaderboard_chaser or leaking_validation: always "
            "the same, without further options.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="One seed gives one competition."),
    ] = None,
    options: Annotated[
        list[str] | None,
        _entrant(
            "--set",
            metavar="OPTION=VALUE",
            help="Any other option of lbsense.simulate.Scenario, such as "
            "cv_noise=0.02; repeat it for several.",
        ),
    ] = None,
    rows: Annotated[
        bool,
        _output("--rows", help="Write labels and predictions of every row too."),
    ] = False,
    force: Annotated[
        bool, _output("--force", help="Replace files that are there.")
    ] = False,
) -> None:
    """Make a competition whose truth is known, and write it as platforms export it.

    Examples
    --------
      lbsense simulate -o play
      lbsense simulate -o play --preset leaderboard_chaser
      lbsense simulate -o play --policy public --null-fraction 0.9 --seed 7
      lbsense simulate -o play --metric rmse --set cv_noise=0.02 --rows --force
    """
    chosen = scenario.given()
    chosen |= _further(options, chosen)
    _check_folder(output, force=force)
    from lbsense.simulate import write_exports

    with working("Simulating ..."):
        made = _make(preset, chosen, seed=seed, rows=rows)
    with working(f"Writing {output} ..."):
        files = write_exports(made, output)
    if preset is None and seed is None:
        note("No --seed was given: another run makes another competition.")
    console = screen.console()
    console.print(Text(str(made), "bold"))
    console.print()
    print_entries(console, [("", str(path)) for path in files[:12]])
    if len(files) > 12:
        console.print(Text(f"and {plural(len(files) - 12, 'file')} more.", "dim"))
    competition = made.history.competition
    sizes = f"--train-size {competition.train_size} --test-size {competition.test_size}"
    console.print(
        Text(
            f"Try: lbsense analyze {output / 'submissions_before_close.csv'} --metric "
            f"{competition.metric} {sizes} --public-fraction "
            f"{competition.public_fraction:.4g}"
        ),
        soft_wrap=True,
    )


def _make(
    preset: str | None, chosen: dict[str, Any], *, seed: int | None, rows: bool
) -> SimulatedCompetition:
    from lbsense.simulate import Scenario
    from lbsense.simulate import simulate as play

    if preset is None:
        return play(Scenario(**chosen), keep_rows=rows, rng=seed)
    if chosen or seed is not None:
        names = [*chosen, *(["seed"] if seed is not None else [])]
        msg = (
            f"--preset is always the same and goes without other options, but "
            f"{', '.join(names)} is given. Leave out one or the other."
        )
        raise ValueError(msg)
    return play(preset, keep_rows=rows)


def _further(options: list[str] | None, chosen: dict[str, Any]) -> dict[str, Any]:
    """Return the options given as OPTION=VALUE, each as the kind its default is."""
    from lbsense.simulate import Scenario

    fields = Scenario.__dataclass_fields__
    found: dict[str, Any] = {}
    for text in options or ():
        name, _, value = (part.strip() for part in text.partition("="))
        name = name.replace("-", "_")
        if name not in fields or not value:
            msg = (
                f"--set: {text!r} is not OPTION=VALUE. Options are {', '.join(fields)}."
            )
            raise ValueError(msg)
        if name in chosen or name in found:
            msg = f"--set: {name} is given twice."
            raise ValueError(msg)
        found[name] = _as_kind_of(fields[name].default, value, name)
    return found


def _as_kind_of(default: object, value: str, name: str) -> object:
    if isinstance(default, bool):
        if value.lower() in ("true", "false", "yes", "no"):
            return value.lower() in ("true", "yes")
        msg = f"--set: {name} must be true or false, got {value!r}."
        raise ValueError(msg)
    if isinstance(default, str):
        return value
    try:
        return type(default)(value)  # type: ignore[call-arg]
    except ValueError:
        kind = "a whole number" if isinstance(default, int) else "a number"
        msg = f"--set: {name} must be {kind}, got {value!r}."
        raise ValueError(msg) from None


def _check_folder(folder: Path, *, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        msg = f"--output: {folder} is a file. Name a folder."
        raise ValueError(msg)
    if not force and folder.is_dir() and any(folder.iterdir()):
        msg = (
            f"--output: {folder} is not empty. Name another folder, or add --force to "
            "replace files of the same name."
        )
        raise ValueError(msg)
