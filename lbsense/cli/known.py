"""What needs no history: ``explain``, ``formats``, ``schema``, ``simulate``, ..."""

from __future__ import annotations

import hashlib
import json
import pkgutil
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from lbsense._codes import VERDICTS
from lbsense._files import replace_file
from lbsense._format import plural
from lbsense.cli.app import (
    ScreenOptions,
    emit,
    emit_json,
    note,
    plain_table,
    print_entries,
    working,
)
from lbsense.cli.options import (
    AsJson,
    Force,
    PublicFraction,
    TestSize,
    TrainSize,
    expand_options,
    output_file,
    panel,
    parse_count,
)
from lbsense.cli.options import output as _output

if TYPE_CHECKING:
    from lbsense.simulate import SimulatedCompetition


def complete_code(incomplete: str) -> list[str]:
    """Return the codes and the verdicts that begin so, for the shell."""
    from lbsense.checks import EXPLANATIONS

    names = (*VERDICTS, *EXPLANATIONS)
    return [name for name in names if name.lower().startswith(incomplete.lower())]


@expand_options
def explain(
    screen: ScreenOptions,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[VERDICT|CODE]...",
            autocompletion=complete_code,
            help="A verdict such as guess, or a code such as LBS301 or 301; without "
            "one all are listed.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain a verdict or a code: what it means, when it is wrong, what to do.

    One step of your own history is told in full by `lbsense step`.

    Examples
    --------
      lbsense explain
      lbsense explain guess
      lbsense explain LBS301
      lbsense explain 201 202 --json
    """
    from lbsense.checks import EXPLANATIONS
    from lbsense.checks import explain as look_up

    chosen = [look_up(name) for name in names or (*VERDICTS, *EXPLANATIONS)]
    if as_json:
        content = [item.to_dict() for item in chosen]
        emit_json(content)
        return
    console = screen.console()
    if not names:
        entries = [(item.code, item.title) for item in chosen]
        print_entries(console, entries[: len(VERDICTS)], title="Verdicts")
        print_entries(console, entries[len(VERDICTS) :], title="Warnings and findings")
        console.print(Text("lbsense explain NAME tells more.", "dim"))
        return
    for item in chosen:
        console.print(Text(f"{item.code}  {item.title}", "bold"))
        severity = [] if item.code in VERDICTS else [("Severity", item.severity)]
        print_entries(console, [*severity, *item.parts()])


@expand_options
def formats(
    screen: ScreenOptions,
    name: Annotated[
        str | None,
        typer.Argument(
            help="Show one format in full, or all that begin so: kaggle, zindi."
        ),
    ] = None,
) -> None:
    """Explain what can be read and how to get each export.

    Examples
    --------
      lbsense formats
      lbsense formats kaggle-csv
      lbsense formats zindi
    """
    from lbsense.ingest import FORMATS

    console = screen.console()
    start = (name or "").strip().lower()
    chosen = [guide for guide in FORMATS if guide.name.startswith(start)]
    if not chosen:
        known = ", ".join(guide.name for guide in FORMATS)
        msg = f"There is no format {name!r}. Formats are {known}."
        raise ValueError(msg)
    for guide in chosen:
        console.print(Text.assemble((guide.name, "bold"), f"  {guide.title}"))
        lines = [("Get it", guide.how)]
        if name is not None:
            lines.append(("Read", ", ".join(guide.columns)))
        lines += [("Mind", caveat) for caveat in guide.caveats]
        print_entries(console, lines)
    console.print(
        Text("Any of them, also as .gz or .zip: lbsense analyze FILE --metric NAME")
    )


_MOST_ALIASES = 3


@expand_options
def metrics(screen: ScreenOptions) -> None:
    """List the metrics that --metric knows: name, direction, other names.

    Examples
    --------
      lbsense metrics
      lbsense metrics | grep -i auc
    """
    from lbsense.metrics import METRICS

    table = plain_table("name", "better", "what it is", "also called (among others)")
    for metric in METRICS.values():
        table.add_row(
            metric.name,
            "higher" if metric.greater_is_better else "lower",
            metric.title,
            ", ".join(sorted(metric.aliases, key=len)[:_MOST_ALIASES]),
        )
    screen.console().print(table)


_NAMES = sorted(
    item.name.removesuffix(".json") for item in (files("lbsense") / "schemas").iterdir()
)


def complete_name(incomplete: str) -> list[str]:
    """Return the commands that begin so, for the shell."""
    return [name for name in _NAMES if name.startswith(incomplete)]


def schema(
    command: Annotated[
        str | None,
        typer.Argument(
            metavar="|".join(_NAMES),
            autocompletion=complete_name,
            help="Command whose output is described; without one all schemas are "
            "printed, by command.",
        ),
    ] = None,
) -> None:
    """Print the JSON Schema (draft 2020-12) of the output of a command with --json.

    Examples
    --------
      lbsense schema analyze
      lbsense schema gate > gate.schema.json
    """
    if command is None:
        whole = {name: json.loads(_schema(name)) for name in _NAMES}
        emit(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", None)
        return
    if command not in _NAMES:
        msg = f"{command!r} has no schema. Commands with one are {', '.join(_NAMES)}."
        raise ValueError(msg)
    emit(_schema(command), None)


def _schema(name: str) -> str:
    # Also where the package is imported from a zipped wheel.
    found = pkgutil.get_data("lbsense", f"schemas/{name}.json")
    assert found is not None
    return found.decode("utf-8")


_world = panel("The competition")
_entrant = panel("The entrant")


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
    test_size: TestSize = None
    train_size: TrainSize = None
    public_fraction: PublicFraction = None
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
        """Return the options that were given, as a scenario takes them."""
        found = {
            name: value for name, value in asdict(self).items() if value is not None
        }
        test, share = found.pop("test_size", None), found.pop("public_fraction", None)
        if test is not None or share is not None:
            from lbsense.simulate import Scenario

            usual = Scenario()
            rows = test or usual.n_public + usual.n_private
            part = share or usual.n_public / (usual.n_public + usual.n_private)
            n_public = min(max(round(rows * part), 1), rows - 1)
            found |= {"n_public": n_public, "n_private": rows - n_public}
        if "train_size" in found:
            found["n_train"] = found.pop("train_size")
        return found


@expand_options
def simulate(
    screen: ScreenOptions,
    output: Annotated[
        Path,
        output_file("Folder to write into; made if need be.", "FOLDER"),
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
    force: Force = False,
) -> None:
    """Make a competition whose truth is known, and write it as platforms export it.

    Examples
    --------
      lbsense simulate -o play
      lbsense simulate -o chaser --preset leaderboard_chaser
      lbsense simulate -o mine --train-size 8000 --test-size 7500 --public-fraction 20%
      lbsense simulate -o idle --policy public --null-fraction 0.9 --seed 7
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
    console.print(Text(str(made).partition(" of ")[2], "bold"))
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


_SLUG = "lbsense-wheel"
_RECIPE = (
    "!pip install --no-index --no-deps $(find /kaggle/input -name '{name}')",
    "import lbsense as lb",
)
_README = """# lbsense {version}, for notebooks without a network

Upload this folder as a Kaggle data set (New Dataset, or `kaggle datasets create -p
FOLDER`), add it to the notebook, and begin with these two lines:

```
{recipe}
```

What lbsense needs beside itself is part of Kaggle's image. SHA-256 of the wheel:

```
{sha256}  {name}
```
"""


@expand_options
def vendor(
    screen: ScreenOptions,
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Folder to write into; made if need be."),
    ],
    owner: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Your name on Kaggle, for `kaggle datasets create`.",
        ),
    ] = None,
) -> None:
    """Write the wheel of this lbsense, its digest, and a recipe for a Kaggle data set.

    Everything but `fetch` and `watch` works without a network. The wheel is packed from
    the installed package: nothing is downloaded, and the same version gives the same
    bytes.

    Examples
    --------
      lbsense vendor lbsense-wheel
      lbsense vendor lbsense-wheel --owner me && kaggle datasets create -p lbsense-wheel
    """
    from lbsense._version import __version__
    from lbsense.ingest import own_wheel

    if folder.exists() and not folder.is_dir():
        msg = f"{folder} is a file. Name a folder."
        raise ValueError(msg)
    name, raw = own_wheel()
    sha256 = hashlib.sha256(raw).hexdigest()
    recipe = "\n".join(_RECIPE).format(name=name)
    told = {"version": __version__, "name": name, "sha256": sha256, "recipe": recipe}
    listed = {
        "title": f"lbsense {__version__}",
        "id": f"{owner or 'INSERT_YOUR_NAME'}/{_SLUG}",
        "licenses": [{"name": "MIT"}],
    }
    replace_file(raw, folder / name)
    replace_file(f"{sha256}  {name}\n", folder / "SHA256SUMS")
    replace_file(_README.format(**told), folder / "README.md")
    replace_file(json.dumps(listed, indent=2) + "\n", folder / "dataset-metadata.json")
    note(f"Written: {folder / name}, SHA-256 {sha256}")
    console = screen.console()
    for line in recipe.splitlines():
        console.print(Text(line), soft_wrap=True)
