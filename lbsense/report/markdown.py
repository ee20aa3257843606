"""A page of blocks as Markdown, for repositories and write-ups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lbsense._format import clean_text
from lbsense.report.blocks import (
    Block,
    Bullets,
    Figure,
    Page,
    Paragraph,
    Remark,
    Section,
    Table,
)

__all__ = ["markdown_page", "markdown_table", "markdown_text"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!$&])")
_STARTS_BLOCK = re.compile(r"^(\d+)([.)])|^([-+=])")


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
    lines = [_row(headers), "|" + " --- |" * len(headers)]
    return "\n".join([*lines, *(_row(row) for row in rows)])


def markdown_page(page: Page, *, version: str, figures: str | None) -> str:
    """Return the page as Markdown.

    Parameters
    ----------
    page : Page
        What to write.
    version : str
        Of lbsense.
    figures : str or None
        Folder of the pictures as seen from the file; None leaves only their captions.
    """
    parts = [
        f"# {markdown_text(page.title)}",
        markdown_text(page.subject),
        f"**{markdown_text(page.headline)}**",
    ]
    for section in (*page.answer, *page.sections):
        parts += _section(section, figures)
    parts.append(f"Made by lbsense {version}.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(section: Section, figures: str | None) -> Iterator[str]:
    yield f"## {markdown_text(section.title)}"
    for block in section.blocks:
        yield _block(block, figures)


def _block(block: Block, figures: str | None) -> str:
    match block:
        case Paragraph():
            return markdown_text(block.text)
        case Bullets():
            return "\n".join(f"- {markdown_text(item)}" for item in block.items)
        case Figure():
            caption = markdown_text(block.caption)
            if figures is None:
                return ""
            return f"![{caption}]({figures}/{block.name}.png)"
        case Table():
            table = markdown_table(
                [column.name for column in block.columns],
                [[cell.text for cell in row] for row in block.rows],
            )
            told = [
                f"- {row[0].text}: {markdown_text(cell.details)}"
                for row in block.rows
                for cell in row
                if cell.details
            ]
            why = "\n".join(["", "Why:", "", *told]) if told else ""
            return f"{markdown_text(block.caption)}\n\n{table}\n{why}".rstrip()
        case Remark():
            return _remark(block)


def _remark(block: Remark) -> str:
    lines = []
    if block.label:
        lines = [
            f"### {block.label}: {markdown_text(block.title)}",
            "",
            f"*{block.kind}*. {markdown_text(block.text)}",
            "",
        ]
    else:
        lines = [markdown_text(block.title) + ":", ""]
    for heading, text in block.details:
        head = f"**{markdown_text(heading)}.** " if heading else ""
        lines.append(f"- {head}{markdown_text(text)}")
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_escape(cell) or " " for cell in cells) + " |"


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", clean_text(text))
