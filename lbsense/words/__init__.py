"""Every sentence and every column of steps, written once for all who read them."""

from lbsense.words.answer import (
    agreement,
    climb,
    default_trap,
    evidence,
    headline,
    luck,
    name_of,
    next_fact,
    noise,
    notes,
    outlook,
    resolution,
    revealed,
    runner_up,
    selection,
    subject,
    why_no_noise,
    why_no_picks,
)
from lbsense.words.columns import StepColumn, step_columns
from lbsense.words.gate import gate_reason, gate_told, why_no_gate
from lbsense.words.lessons import advice, gap, lessons
from lbsense.words.needs import NEEDS, Reader, ask, tell, why
from lbsense.words.reading import reading_entries
from lbsense.words.steps import step_sentence

__all__ = [
    "NEEDS",
    "Reader",
    "StepColumn",
    "advice",
    "agreement",
    "ask",
    "climb",
    "default_trap",
    "evidence",
    "gap",
    "gate_reason",
    "gate_told",
    "headline",
    "lessons",
    "luck",
    "name_of",
    "next_fact",
    "noise",
    "notes",
    "outlook",
    "reading_entries",
    "resolution",
    "revealed",
    "runner_up",
    "selection",
    "step_columns",
    "step_sentence",
    "subject",
    "tell",
    "why",
    "why_no_gate",
    "why_no_noise",
    "why_no_picks",
]
