"""A card as Markdown, for Kaggle and for Zindi, and as a Process Run Crate."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import quote

from lbsense._files import replace_file
from lbsense._format import clean_text
from lbsense._version import __version__
from lbsense.analysis import Analysis
from lbsense.ingest import LEDGER_SCHEMA
from lbsense.model import Card, InputFile
from lbsense.report.documents import render_markdown
from lbsense.words import card_entries, card_lacks

CardFormat: TypeAlias = Literal["markdown", "kaggle", "zindi"]

_HEADINGS: dict[str, dict[str, str]] = {
    "markdown": {
        "score": "Score to expect",
        "reason": "Why it was made",
        "code": "Code",
        "command": "Command",
        "seeds": "Seeds",
        "environment": "Environment",
        "hardware": "Hardware",
        "data": "Data",
        "result": "What it wrote",
        "validation": "Validation",
        "time": "Run time",
    },
    # As in Kaggle's model documentation: what the README of the code has to say.
    "kaggle": {
        "hardware": "Hardware",
        "environment": "Software and third-party packages (requirements.txt)",
        "code": "Code",
        "command": "How to train the model and to make predictions",
        "seeds": "Random seeds",
        "data": "Input data",
        "result": "Predictions",
        "time": "Model execution time (A8)",
        "validation": "Validation",
        "score": "Score to expect",
        "reason": "Summary (A3)",
    },
    # As in Zindi's code review: it must run again and arrive at the same score.
    "zindi": {
        "command": "Order in which to run the code",
        "environment": "Environment and packages",
        "seeds": "Seeds",
        "data": "Data that was used",
        "result": "Submission file",
        "score": "Score that is to be reached",
        "hardware": "Hardware",
        "time": "Expected run time",
        "code": "Version of the code",
        "validation": "Validation",
        "reason": "Explanation",
    },
}
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
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
        msg = f"format must be one of {', '.join(_HEADINGS)}, got {format!r}."
        raise ValueError(msg)
    entries = card_entries(card)
    return render_markdown(
        "card",
        card=card,
        sections=[
            (name, title, entries[name]) for name, title in _HEADINGS[format].items()
        ],
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
    inputs = [_entity("data", item) for item in entry.data]
    outputs = [_entity("predictions", item) for item in entry.predictions]
    values = [
        {
            "@id": f"#{name}",
            "@type": "PropertyValue",
            "name": name.replace("_", " "),
            "value": value,
        }
        for name, value in (
            ("cv_score", entry.cv_score),
            ("public_score", entry.public_score),
            ("private_score", entry.private_score),
        )
        if value is not None
    ]
    settings = [
        {
            "@id": "#seeds",
            "@type": "PropertyValue",
            "name": "seeds",
            "value": list(entry.seeds),
        }
    ] * bool(entry.seeds)
    code: dict[str, Any] = {
        "@id": place.repository if _is_address(place.repository) else "#code",
        "@type": "SoftwareSourceCode",
        "name": f"Code of {clean_text(entry.name)}",
        "version": _plain(place.commit, "unknown"),
        "programmingLanguage": {"@id": "#python"},
        "softwareRequirements": {"@id": "requirements.txt"},
    }
    if _is_address(place.repository):
        code["url"] = place.repository
    agent = {
        "@id": "#author",
        "@type": "Person",
        "name": _plain(card.author, "not stated"),
    }
    license_id = card.license if _is_address(card.license) else "#license"
    action: dict[str, Any] = {
        "@id": f"#{quote(entry.experiment_id)}",
        "@type": "CreateAction",
        "name": f"Run of {clean_text(entry.name)}",
        "description": _plain(entry.command, "command not recorded"),
        "endTime": ended.isoformat(),
        "instrument": {"@id": code["@id"]},
        "agent": {"@id": "#author"},
        "object": [{"@id": item["@id"]} for item in (*inputs, *settings)]
        + [{"@id": "requirements.txt"}],
        "result": [{"@id": item["@id"]} for item in (*outputs, *values)],
        "actionStatus": {
            "@id": "http://schema.org/"
            + (
                "FailedActionStatus"
                if entry.status == "failed"
                else "CompletedActionStatus"
            )
        },
    }
    if entry.started_at is not None:
        action["startTime"] = entry.started_at.isoformat()
    if entry.status == "failed" and entry.error:
        action["error"] = clean_text(entry.error)
    parts = {
        "README.md": ("text/markdown", "What is needed to arrive at the same score"),
        "ledger.jsonl": ("application/jsonl", "Record of the run"),
        "requirements.txt": ("text/plain", "Packages and their versions"),
    }
    graph: list[dict[str, Any]] = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": _plain(entry.name, "experiment"),
            "description": _plain(entry.hypothesis, "no reason given"),
            "datePublished": ended.isoformat(),
            "license": {"@id": license_id},
            "conformsTo": {"@id": _PROFILE},
            "hasPart": [{"@id": name} for name in parts],
            "mentions": [{"@id": action["@id"]}]
            + [{"@id": item["@id"]} for item in (*inputs, *outputs)],
        },
        {
            "@id": _PROFILE,
            "@type": "CreativeWork",
            "name": "Process Run Crate",
            "version": "0.5",
        },
        {
            "@id": license_id,
            "@type": "CreativeWork",
            "name": _plain(card.license, "not stated"),
        },
        {
            "@id": "#python",
            "@type": "ComputerLanguage",
            "name": "Python",
            "version": _plain(place.python, "unknown"),
            "url": "https://www.python.org",
        },
        agent,
        code,
        action,
        *(
            {
                "@id": name,
                "@type": "File",
                "name": name,
                "encodingFormat": kind,
                "description": told,
            }
            for name, (kind, told) in parts.items()
        ),
        *inputs,
        *outputs,
        *settings,
        *values,
    ]
    return {"@context": _CONTEXT, "@graph": graph}


def _entity(kind: str, item: InputFile) -> dict[str, Any]:
    """Return a file that is not in the crate, by its digest."""
    return {
        "@id": f"#{kind}/{quote(item.name)}",
        "@type": "CreativeWork",
        "name": clean_text(item.name),
        "contentSize": str(item.n_bytes),
        "sha256": item.sha256,
        "description": "Not in this crate: compare the digest with that of your copy",
    }


def _plain(text: str | None, otherwise: str) -> str:
    return clean_text(text or "") or otherwise


def _is_address(text: str | None) -> bool:
    return bool(text) and str(text).startswith(("https://", "http://"))
