"""The command line as a whole: its commands, its exit codes, where output goes."""

from __future__ import annotations

import errno
import inspect
import io
import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer
import typer.main
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text
from typer.core import TyperGroup

from lbsense._files import replace_file
from lbsense._format import clean_text, inert, plural
from lbsense._version import __version__
from lbsense.errors import LbsenseError

if TYPE_CHECKING:
    from rich.table import Table

    from lbsense.model import History

# Exit codes of a command that ran; 0 is done.
FLAGGED, BAD_INPUT, NOT_KNOWABLE = 1, 2, 3

_PIPE_WIDTH = 120  # columns where no terminal tells its own
_MOST_ISSUES = 5
_DISPLAY = "Display"
_PANELS = (
    *("Why", "What came of it", "Files", "The competition", "The entrant"),
    *("The histories", "The file", "Predictions", "The leaderboard", "Verify"),
    *("Output", _DISPLAY),
)


class _Console(Console):
    """A console on which text is text: what a file says reaches no terminal as code."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield what is to be printed, its control characters made blanks."""
        for segment in super().render(renderable, options):
            if segment.control is None and not segment.text.isprintable():
                segment = Segment(inert(segment.text), segment.style)
            yield segment

    def on_broken_pipe(self) -> None:
        """Leave a reader that went away to the caller: rich would exit with 1."""
        raise BrokenPipeError


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenOptions:
    """How to show things to people.

    Attributes
    ----------
    color : bool or None
        Whether to colour; None lets the terminal and ``NO_COLOR`` decide.
    width : int or None
        Columns to fill; None asks the terminal.
    """

    color: Annotated[
        bool | None,
        typer.Option(
            "--color/--no-color",
            help="Colour or not; by default as the terminal and NO_COLOR say.",
            rich_help_panel=_DISPLAY,
        ),
    ] = None
    width: Annotated[
        int | None,
        typer.Option(
            min=40,
            help="Columns to fill, instead of those of the terminal.",
            rich_help_panel=_DISPLAY,
        ),
    ] = None

    def console(self) -> Console:
        """Return the console of the human view, on stdout."""
        return _console(sys.stdout, color=self.color, width=self.width)


def note(message: str, *, kind: str = "") -> None:
    """Print a message on stderr: inert, whatever text of the user's it quotes."""
    console = _console(sys.stderr)
    lines = [_clean_line(line) for line in message.splitlines()]
    text = Text("\n".join(lines))
    if kind:
        style = "bold red" if kind == "Error" else "bold yellow"
        text = Text.assemble((f"{kind}: ", style), text)
    console.print(text, soft_wrap=True)


def ask(question: str) -> str:
    """Return what the user answers; the question goes to stderr, as notes do."""
    sys.stderr.write(f"{question} ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise typer.Abort
    return answer.strip()


def _clean_line(line: str) -> str:
    """Return one line without control characters, its indentation kept."""
    indent = len(line) - len(line.lstrip(" "))
    return " " * indent + clean_text(line)


def emit(text: str, output: Path | None) -> None:
    """Write machine output, always UTF-8, to a file or alone to stdout."""
    raw = text.encode("utf-8", errors="replace")
    if output is None:
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()
    else:
        replace_file(raw, output)
        note(f"Written: {output}")


def emit_json(content: Any, output: Path | None = None) -> None:
    """Write what a schema describes, to a file or alone to stdout."""
    emit(json.dumps(content, indent=2, allow_nan=False) + "\n", output)


def is_interactive() -> bool:
    """Say whether a person is there to answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@contextmanager
def working(message: str) -> Iterator[None]:
    """Show that work goes on, on stderr and only on a real terminal."""
    console = _console(sys.stderr)
    if not console.is_terminal or console.is_dumb_terminal:
        yield
        return
    with console.status(message):
        yield


def _console(
    stream: IO[str], *, color: bool | None = None, width: int | None = None
) -> Console:
    if width is None and not stream.isatty() and "COLUMNS" not in os.environ:
        width = _PIPE_WIDTH
    return _Console(
        file=stream,
        width=width,
        no_color=None if color is None else not color,
        force_terminal=True if color else None,
        highlight=False,
        markup=False,
        emoji=False,
    )


def print_entries(
    console: Console,
    entries: Iterable[tuple[str, str]],
    *,
    title: str = "",
    style: str = "",
) -> None:
    """Print a titled list of keys and texts and an empty line; nothing if empty.

    Parameters
    ----------
    console : Console
        Where to print.
    entries : iterable of (str, str)
        Keys, which may be empty, and foreign text, which is made inert.
    title : str
        Printed above.
    style : str
        Of title and keys.
    """
    rows = [(key, clean_text(text)) for key, text in entries if text]
    if not rows:
        return
    if title:
        console.print(Text(title, f"bold {style}".strip()))
    indent = max(cell_len(key) for key, _ in rows)
    indent += 2 if indent else 0
    for key, text in rows:
        wrapped = Text(text).wrap(console, max(20, console.width - indent))
        for number, line in enumerate(wrapped):
            margin = set_cell_size(key if number == 0 else "", indent)
            line.rstrip()
            console.print(Text.assemble((margin, style), line), soft_wrap=True)
    console.print()


def plain_table(*headers: str) -> Table:
    """Return a table without lines, whose columns fold where there is no room."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def tell_doubts(history: History) -> None:
    """Print the warnings of a history, and how much of it was not understood."""
    for warning in history.warnings:
        note(str(warning), kind="Warning")
    if history.dropped:
        count = plural(len(history.dropped), "row or cell", "rows or cells")
        note(
            f"{count} not understood; `lbsense analyze` and its JSON list them.",
            kind="Warning",
        )


def tell_issues(issues: Sequence[object]) -> None:
    """Print the first rows that were not understood, and how many more there are."""
    for issue in issues[:_MOST_ISSUES]:
        note(str(issue), kind="Warning")
    if len(issues) > _MOST_ISSUES:
        note(f"{len(issues) - _MOST_ISSUES} more rows or cells not understood.")


_BUG = 70  # EX_SOFTWARE of sysexits.h
_INTERRUPTED = 130
_BROKEN_PIPE = 141
#: What the exit codes mean, of every command; `lbsense log` ends as what it runs.
EXIT_CODES = {
    0: "done; gate: worth it; card --check: all is the same",
    FLAGGED: "gate: not worth it; --strict: a finding; card --check: a difference",
    BAD_INPUT: "bad usage or input, or a platform that does not answer",
    NOT_KNOWABLE: "not knowable from what was given",
    _BUG: "a bug in lbsense",
    _INTERRUPTED: "interrupted",
    _BROKEN_PIPE: "the reader of the output went away",
}
_OUTPUT_FULL = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG)


#: Command -> the module where it lives, which is loaded when the command is called.
COMMANDS = {
    "fetch": "records",
    "watch": "records",
    "analyze": "history",
    "step": "history",
    "report": "history",
    "pick": "history",
    "gate": "history",
    "plan": "history",
    "compare": "boards",
    "board": "boards",
    "host": "boards",
    "field": "boards",
    "mcp": "mcp",
    "log": "records",
    "card": "records",
    "explain": "known",
    "simulate": "known",
    "vendor": "known",
    "formats": "known",
    "metrics": "known",
    "schema": "known",
}


class ExitCodes(TyperGroup):
    """The group of all commands, which ends each of them with the right exit code."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Return the names of all commands, none of which is loaded for that."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return a command, loading its module; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        room = import_module(f"lbsense.cli.{COMMANDS[cmd_name]}")
        made = typer.Typer(rich_markup_mode="rich", add_completion=False)
        command = getattr(room, cmd_name)
        made.command(cmd_name, help=_help(command))(command)
        found = typer.main.get_command(made)
        found.params.sort(key=_panel_rank)
        return found

    def invoke(self, ctx: Any) -> Any:
        """Run the command and turn what it raises into a message and an exit code."""
        try:
            with _plain_warnings():
                result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _discard_output()
            raise typer.Exit(_BROKEN_PIPE) from None
        except OSError as error:
            if error.errno in _OUTPUT_FULL and error.filename is None:
                _discard_output()
            raise typer.Exit(_report(error, verbose=ctx.params["traceback"])) from None
        except (KeyboardInterrupt, typer.Abort):
            note("Interrupted.")
            raise typer.Exit(_INTERRUPTED) from None
        except Exception as error:
            if hasattr(error, "exit_code"):  # typer's own: usage errors, --help
                raise
            raise typer.Exit(_report(error, verbose=ctx.params["traceback"])) from None
        return result


def _panel_rank(parameter: Any) -> int:
    """Return where help shows an option: what is asked first, how it is shown last."""
    panel = getattr(parameter, "rich_help_panel", None)
    return _PANELS.index(panel) if panel in _PANELS else -1


def _report(error: Exception, *, verbose: bool) -> int:
    """Tell the user what went wrong and return the exit code for it."""
    if verbose:
        note("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, OSError) and error.strerror:
        name = error.filename if error.filename is not None else "standard output"
        name = f"{name}: "
        note(f"{name}{error.strerror}.", kind="Error")
        return BAD_INPUT
    if isinstance(error, (LbsenseError, ValueError, OSError)):
        note(str(error) or type(error).__name__, kind="Error")
        return BAD_INPUT
    note(
        f"a bug in lbsense, not in your file ({type(error).__name__}: {error}). "
        "Please report it with the output of the same command after "
        "`lbsense --traceback`.",
        kind="Error",
    )
    return _BUG


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show warnings as notes, without the line of code they came from."""

    def show(message: Warning | str, *_: object) -> None:
        note(str(message), kind="Warning")

    with warnings.catch_warnings():
        warnings.showwarning = show  # type: ignore[assignment]
        yield


def _discard_output() -> None:
    """Let nothing that is still buffered fail when the interpreter shuts down."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


app = typer.Typer(
    cls=ExitCodes,
    name="lbsense",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _help(command: Callable[..., None]) -> str:
    """Return the docstring of a command with its examples kept line by line."""
    text = inspect.getdoc(command) or ""
    return text.replace("Examples\n--------", "\b\nExamples:")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lbsense {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Show the version and exit.",
            is_eager=True,
            callback=_show_version,
        ),
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where an error came from.")
    ] = False,
) -> None:
    """Say what a leaderboard score means: the noise in it and the luck in it.

    Examples
    --------
      lbsense formats
      lbsense analyze submissions.csv --metric roc_auc
      lbsense pick submissions.csv --metric roc_auc
      lbsense COMMAND --help
    """


def _codes() -> str:
    """Return the exit codes as help shows them."""
    return "\n".join(
        ["\n\n\b\nExit codes:", *(f"  {c:<3}  {t}" for c, t in EXIT_CODES.items())]
    )


app.callback(help=_help(_root) + _codes())(_root)


def main() -> None:
    """Run the command line on the arguments of the process (`EXIT_CODES`)."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started the program
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character must not end the program.
        if isinstance(stream, io.TextIOWrapper):
            with suppress(ValueError):
                stream.reconfigure(errors="replace")
    app(prog_name="lbsense")
