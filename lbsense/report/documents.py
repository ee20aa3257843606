"""Templates filled in: a page in HTML or Markdown, documents for hosts, a card."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args
from urllib.parse import quote

from markupsafe import Markup

from lbsense import words
from lbsense._codes import FALSE_CLAIMS, VERDICT_SIGNS
from lbsense._files import replace_file
from lbsense._format import (
    clean_text,
    decimals_shown,
    format_fixed,
    format_number,
    format_time,
    plural,
)
from lbsense._typing import ScoreKind
from lbsense._version import __version__
from lbsense.analysis import Analysis, Step
from lbsense.checks import Findings
from lbsense.ingest import LEDGER_SCHEMA
from lbsense.model import Card, InputFile
from lbsense.plots import SVG_STYLE, draw_svg, palette_css
from lbsense.report.page import Cell, Figure, Page, Table
from lbsense.words import card_entries, card_lacks, verdict_label

if TYPE_CHECKING:
    from jinja2 import Environment

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!$&])")
_STARTS_BLOCK = re.compile(r"^(\d+)([.)])|^([-+=])")
_EMPTY_LINES = re.compile(r"\n{3,}")


def markdown_text(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no HTML, on one line."""
    return _STARTS_BLOCK.sub(
        lambda found: (
            f"{found[1]}\\{found[2]}" if found[1] is not None else f"\\{found[3]}"
        ),
        _escape(text),
    )


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of plain texts, escaped."""
    lines = ["| " + " | ".join(map(_cell, row)) + " |" for row in (headers, *rows)]
    return "\n".join([lines[0], "|" + " --- |" * len(headers), *lines[1:]])


def templates(**options: Any) -> Environment:
    """Return the templates of reports; what one asks for and is not there raises."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("lbsense.report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )


def render_markdown(template: str, **context: Any) -> str:
    """Return a template filled in, with one empty line between its parts."""
    # Markdown has characters of its own: see the filters.
    environment = templates(autoescape=False)
    environment.filters |= {
        "cell": _cell,
        "line": clean_text,
        "md": markdown_text,
        "plural": plural,
        "time": format_time,
    }
    text = environment.get_template(f"{template}.md.j2").render(context)
    return _EMPTY_LINES.sub("\n\n", text).strip() + "\n"


def _cell(text: str) -> str:
    return _escape(text) or " "


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", clean_text(text))


# Pixels of the two drawings of each figure; page.css shows one of them.
_WIDE, _NARROW = 680, 348
_LONG, _PAGE = 1000, 200  # rows from which a table has pages, and those of one page


def html_page(page: Page, analysis: Analysis | None, *, version: str) -> str:
    """Return the page as HTML. Text of the entrant is escaped and inert."""
    environment = templates(autoescape=True, finalize=_inert)
    script, style = (_part(environment, name) for name in ("page.js", "page.css"))
    steps = () if analysis is None else analysis.steps
    counts = Counter(step.verdict for step in steps)
    html = environment.get_template("page.html.j2").render(
        page=page,
        signs=VERDICT_SIGNS,
        steps=next(
            (
                block
                for section in page.sections
                for block in section.blocks
                if isinstance(block, Table) and block.interactive
            ),
            None,
        ),
        kinds=counts.most_common(),
        rest=_rest,
        page_size=_PAGE,
        figures={
            name: Markup(drawn) for name, drawn in pictures(page, analysis).items()
        },
        light=Markup(f":root{{{palette_css('light')}}}"),
        dark=Markup(palette_css("dark")),
        plot_style=Markup(SVG_STYLE),
        style=Markup(style),
        script=Markup(script),
        digest=Markup(_digest(f"\n{script}\n")),
        version=version,
    )
    return html.strip() + "\n"


def _rest(table: Table) -> Markup | None:
    """Return the rows of a long table after its first page, as JSON for the script."""
    if not table.interactive or len(table.rows) <= _LONG:
        return None
    numeric = [column.numeric for column in table.columns]
    found = {
        "signs": VERDICT_SIGNS,
        "numeric": numeric,
        "rows": [
            [_packed(cell, sorts) for cell, sorts in zip(row, numeric, strict=True)]
            for row in table.rows[_PAGE:]
        ],
    }
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&":  # no text ends the element that it stands in
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _packed(cell: Cell, numeric: bool) -> str | list[object]:
    """Return a cell: its text, and what cannot be told from it."""
    text, order = clean_text(cell.text), cell.order
    if order is not None and numeric and _number(text) == order:
        order = None  # the script reads it off the text
    if order is not None:
        order = float(f"{order:.6g}") if math.isfinite(order) else None
    packed: list[object] = [
        text, order, clean_text(cell.note), clean_text(cell.details), cell.kind
    ]  # fmt: skip
    while len(packed) > 1 and not packed[-1] and packed[-1] != 0:
        packed.pop()
    return text if len(packed) == 1 else packed


def _number(text: str) -> float:
    try:
        return float(text.lstrip("#+"))
    except ValueError:
        return math.nan


def _inert(value: object) -> object:
    """Return text without control and direction characters; markup as it is."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return clean_text(value)
    return value


def _part(environment: Environment, name: str) -> str:
    """Return what stands in the page as it is."""
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0].strip()


def _digest(script: str) -> str:
    """Return the one script that the page lets run, by its digest."""
    found = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(found).decode()}"


def pictures(page: Page, analysis: Analysis | None) -> dict[str, str]:
    """Return the figures of a page by name: each drawn wide, and for a phone."""
    told = _facts(() if analysis is None else analysis.steps)

    def drawn(figure: Figure, width: int) -> str:
        return draw_svg(figure.scene, width=width, tell=told.__getitem__)

    if len(told) > _LONG:  # one drawing of so many points for all screens
        return {figure.name: drawn(figure, _WIDE) for figure in page.figures()}
    return {
        figure.name: "".join(
            f'<div class="on-{kind}">{drawn(figure, width)}</div>'
            for kind, width in (("wide", _WIDE), ("narrow", _NARROW))
        )
        for figure in page.figures()
    }


def _facts(steps: Sequence[Step]) -> list[str]:
    """Return what a point says by itself; the row of its submission says the rest."""
    public = [step.public_score for step in steps]
    decimals = decimals_shown(score for score in public if score is not None)
    return [
        f"#{at + 1} {verdict_label(step)} {format_fixed(score, decimals=decimals)}"
        for at, (step, score) in enumerate(zip(steps, public, strict=True))
    ]


#: The documents by the name of their format, each a template of that name.
DOCUMENTS = ("kaggle", "zindi")

_WHOLE = 200  # characters of a name: a host has no other place to look it up
_OF_THE_ENTRANT = "LBS3"  # codes of findings about habits, which no host asked for
_GAP = "**TO FILL IN**"
_FLAT = "No step stands out of the noise."


def document(
    name: str, analysis: Analysis, findings: Findings, *, sources: Sequence[InputFile]
) -> str:
    """Return a document as far as a history can fill it.

    What scores cannot tell is a marked place.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for index, step in enumerate(analysis.steps):
        places[step.verdict].append(index)
    return render_markdown(
        name,
        analysis=analysis,
        name_of=lambda index: words.name_of(analysis, index, _WHOLE),
        places=places,
        sources=sources,
        version=__version__,
        words=words,
        told={
            "final_submissions": _final_submissions(analysis),
            "gains": _gains(analysis),
            "private": _private(analysis),
            "flagged": [
                f"{item.title}. {item.message}"
                for item in findings.flagged
                if not item.code.startswith(_OF_THE_ENTRANT)
            ],
            "summary": _summary(analysis),
        },
    )


def _summary(analysis: Analysis) -> str:
    """Return how many submissions were what, in the words of a reader from outside."""
    counts = analysis.counts()
    scored = len(analysis.steps) - counts.get("unscored", 0)
    parts = [
        f"{counts[verdict]} {phrase}"
        for verdict, phrase in (
            ("progress", "scored better by more than chance explains"),
            ("setback", "worse"),
            ("guess", "could not be told from no change"),
        )
        if counts.get(verdict)
    ]
    if not parts:
        return markdown_text(words.tally(analysis))
    rest = scored - sum(counts.get(v, 0) for v in ("progress", "setback", "guess"))
    if rest:
        parts.append(f"{rest} cannot be compared")
    told = ", ".join(parts)
    who = plural(scored, "scored submission")
    return f"Of {who}, each against the one it was built on: {told}."


def _final_submissions(analysis: Analysis) -> str:
    """Return the table of what was selected, or what scored best and that it is so."""
    chosen = [i for i, item in enumerate(analysis.history) if item.selected]
    told = "The submissions that were selected:"
    if not chosen:
        chosen, told = _best(analysis)
    if not chosen:
        scored = any(step.public_score is not None for step in analysis.steps)
        if not scored:
            return "No submission has a score."
        reason = words.why_no_picks(analysis, "page")
        return markdown_text(f"Which submissions scored best cannot be said. {reason}")
    keys = ("name", "when", "cv", "public", "private")
    return f"{told}\n\n{_table(analysis, chosen, keys)}\n\nScores as displayed."


def _table(analysis: Analysis, chosen: Sequence[int], keys: Sequence[str]) -> str:
    """Return a table of some of the steps, named as on the page."""
    columns = words.step_columns(analysis.steps, keys)
    rows = [
        [
            words.name_of(analysis, index, _WHOLE)
            if column.key == "name"
            else column.cells[index]
            for column in columns
        ]
        for index in chosen
    ]
    return markdown_table([column.heading for column in columns], rows)


def _best(analysis: Analysis) -> tuple[list[int], str]:
    """Return the best submissions by the scores that are there, and their name."""
    history = analysis.history
    if history.competition.greater_is_better is None:
        return [], ""
    kinds: tuple[ScoreKind, ...] = ("private", "public")
    for kind in kinds:
        scores = history.scores(kind)
        known = [i for i, value in enumerate(scores) if math.isfinite(value)]
        if known:
            best = sorted(known, key=lambda i: -scores[i])[:2]
            return best, (
                "The input does not say which submissions were selected; these have "
                f"the best {kind} scores:"
            )
    return [], ""


def _gains(analysis: Analysis) -> str:
    """Return the steps that were real gains, each with its interval."""
    real = [
        (index, step)
        for index, step in enumerate(analysis.steps)
        if step.verdict == "progress"
    ]
    if not real:
        none = "No step can be called a real gain"
        if not words.noise(analysis):  # the reason stands where the noise is told
            return f"{none}: it is not known how much of one can be chance."
        stands = _FLAT if analysis.noise.step_se > 0 else ""
        reason = words.why(analysis.posterior, "page", stands)
        return f"{none}. {markdown_text(reason)}".strip()
    lead = (
        f"{plural(len(real), 'step')} that the scores show to be real gains (of such "
        f"claims {FALSE_CLAIMS}). Gains are oriented: more is "
        "better, whatever the metric."
    )
    open_ends = sum(
        step.gain_low is not None and step.gain_low <= 0 for _, step in real
    )
    if open_ends:
        lead += f" The interval of {open_ends} of them reaches down to no gain."
    chosen = [i for i, _ in sorted(real, key=lambda pair: -(pair[1].gain or 0))]
    table = _table(analysis, chosen, ("name", "estimate", "outcome"))
    return f"{lead}\n\n{table}"


def _private(analysis: Analysis) -> str:
    """Return the private score that counted, or why it cannot be said."""
    if all(item.private_score is None for item in analysis.history):
        return f"{_GAP} (private scores were not given)"
    scores = [
        item.private_score
        for item in analysis.history
        if item.selected and item.private_score is not None
    ]
    if not scores:
        return f"{_GAP} (the input does not say which submission counted)"
    better = analysis.history.competition.greater_is_better
    if better is None:
        return f"{_GAP} (whether higher or lower is better is not known)"
    return format_number(max(scores) if better else min(scores), digits=7)


CardFormat: TypeAlias = Literal["markdown", "kaggle", "zindi"]

_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_ELSEWHERE = "Not in this crate: compare the digest with that of your copy"
_PARTS = (
    ("README.md", "text/markdown", "What is needed to arrive at the same score"),
    ("ledger.jsonl", "application/jsonl", "Record of the run"),
    ("requirements.txt", "text/plain", "Packages and their versions"),
)
_CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
]


def with_analysis(card: Card, analysis: Analysis) -> Card:
    """Return a card with the scores and the spread that a history tells."""
    entry = card.experiment
    place = next(
        (
            position
            for position, item in enumerate(analysis.history)
            if item.submission_id == entry.submission_id
        ),
        None,
    )
    if place is None:
        return card
    sent, outlook = analysis.history[place], analysis.outlook
    fields: dict[str, Any] = {}
    if math.isfinite(analysis.noise.rerun_se):
        fields["public_se"] = analysis.noise.rerun_se
    if outlook and math.isfinite(outlook.mean[place]):
        fields |= {
            "private_mean": float(outlook.mean[place]),
            "private_low": float(outlook.ci95_low[place]),
            "private_high": float(outlook.ci95_high[place]),
        }
    known = replace(
        entry,
        public_score=_first(entry.public_score, sent.public_score),
        private_score=_first(entry.private_score, sent.private_score),
        cv_score=_first(entry.cv_score, sent.cv_score),
    )
    had = {"public": known.public_score, "cv": known.cv_score}
    lacks = tuple(name for name in card.lacks if had.get(name) is None)
    return replace(card, experiment=known, lacks=lacks, **fields)


def _first(one: float | None, other: float | None) -> float | None:
    return other if one is None else one


def render_card(card: Card, *, format: CardFormat = "markdown") -> str:  # noqa: A002
    """Return a card as Markdown, in the order that a platform asks for.

    Raises
    ------
    ValueError
        If the format is not one of "markdown", "kaggle" and "zindi".
    """
    if format not in get_args(CardFormat):
        msg = (
            f"format must be one of {', '.join(get_args(CardFormat))}, got {format!r}."
        )
        raise ValueError(msg)
    return render_markdown(
        "card",
        card=card,
        format=format,
        entries=card_entries(card),
        lacks=card_lacks(card),
        requirements=_requirements(card).splitlines(),
        version=__version__,
    )


def write_crate(card: Card, folder: Path) -> Path:
    """Write a card as a Process Run Crate: metadata, the card, the lock, the record.

    Data and predictions are named by their digests and not put in: they may be large,
    and may not be passed on.
    """
    files = {
        "README.md": render_card(card),
        "ledger.jsonl": _record(card),
        "requirements.txt": _requirements(card),
    }
    metadata = json.dumps(crate_metadata(card), indent=2, ensure_ascii=False)
    for name, text in {**files, "ro-crate-metadata.json": f"{metadata}\n"}.items():
        replace_file(text, folder / name)
    return folder / "ro-crate-metadata.json"


def _record(card: Card) -> str:
    """Return the line of the ledger, with what was added later in it."""
    fields = {k: v for k, v in card.experiment.to_dict().items() if v not in (None, [])}
    fields.pop("source_line", None)
    line = {"schema": LEDGER_SCHEMA, "kind": "experiment", **fields}
    return json.dumps(line, allow_nan=False) + "\n"


def _requirements(card: Card) -> str:
    packages = card.experiment.environment.packages
    return "".join(f"{clean_text(f'{k}=={v}')}\n" for k, v in packages.items())


def crate_metadata(card: Card) -> dict[str, Any]:
    """Return the metadata of the crate: RO-Crate 1.1, Process Run Crate 0.5."""
    entry, place = card.experiment, card.experiment.environment
    ended = entry.started_at or datetime(1970, 1, 1, tzinfo=UTC)
    ended += timedelta(seconds=entry.seconds or 0)
    begun = None if entry.started_at is None else entry.started_at.isoformat()
    failed = entry.status == "failed"
    files = [
        _thing(
            f"#{kind}/{quote(item.name)}",
            "CreativeWork",
            name=clean_text(item.name),
            contentSize=str(item.n_bytes),
            sha256=item.sha256,
            description=_ELSEWHERE,
        )
        for kind in ("data", "predictions")
        for item in getattr(entry, kind)
    ]
    inputs, outputs = files[: len(entry.data)], files[len(entry.data) :]
    values = [
        _thing(f"#{name}", "PropertyValue", name=name.replace("_", " "), value=value)
        for name in ("cv_score", "public_score", "private_score")
        if (value := getattr(entry, name)) is not None
    ]
    settings = []
    if entry.seeds:
        seeds = list(entry.seeds)
        settings.append(_thing("#seeds", "PropertyValue", name="seeds", value=seeds))
    address = place.repository if _is_address(place.repository) else None
    code = _thing(
        address or "#code",
        "SoftwareSourceCode",
        name=f"Code of {clean_text(entry.name)}",
        version=_plain(place.commit, "unknown"),
        programmingLanguage={"@id": "#python"},
        softwareRequirements={"@id": "requirements.txt"},
        url=address,
    )
    licence = _thing(
        str(card.license) if _is_address(card.license) else "#license",
        "CreativeWork",
        name=_plain(card.license, "not stated"),
    )
    status = "FailedActionStatus" if failed else "CompletedActionStatus"
    action = _thing(
        f"#{quote(entry.experiment_id)}",
        "CreateAction",
        name=f"Run of {clean_text(entry.name)}",
        description=_plain(entry.command, "command not recorded"),
        startTime=begun,
        endTime=ended.isoformat(),
        instrument={"@id": code["@id"]},
        agent={"@id": "#author"},
        object=[*_places(inputs, settings), {"@id": "requirements.txt"}],
        result=_places(outputs, values),
        actionStatus={"@id": f"http://schema.org/{status}"},
        error=(clean_text(entry.error or "") or None) if failed else None,
    )
    parts = [
        _thing(name, "File", name=name, encodingFormat=kind, description=told)
        for name, kind, told in _PARTS
    ]
    head = _thing(
        "ro-crate-metadata.json",
        "CreativeWork",
        about={"@id": "./"},
        conformsTo={"@id": "https://w3id.org/ro/crate/1.1"},
    )
    root = _thing(
        "./",
        "Dataset",
        name=_plain(entry.name, "experiment"),
        description=_plain(entry.hypothesis, "no reason given"),
        datePublished=ended.isoformat(),
        license={"@id": licence["@id"]},
        conformsTo={"@id": _PROFILE},
        hasPart=_places(parts),
        mentions=_places([action], files),
    )
    profile = _thing(_PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
    python = _thing(
        "#python",
        "ComputerLanguage",
        name="Python",
        version=_plain(place.python, "unknown"),
        url="https://www.python.org",
    )
    agent = _thing("#author", "Person", name=_plain(card.author, "not stated"))
    about = [head, root, profile, licence, python, agent, code, action]
    return {
        "@context": _CONTEXT,
        "@graph": [*about, *parts, *files, *settings, *values],
    }


def _thing(at: str, kind: str, **fields: Any) -> dict[str, Any]:
    """Return an entity of the crate, with what is known of it."""
    known = {name: value for name, value in fields.items() if value is not None}
    return {"@id": at, "@type": kind, **known}


def _places(*things: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [{"@id": item["@id"]} for several in things for item in several]


def _plain(text: str | None, otherwise: str) -> str:
    return clean_text(text or "") or otherwise


def _is_address(text: str | None) -> bool:
    return bool(text) and str(text).startswith(("https://", "http://"))
