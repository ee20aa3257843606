"""Rules by name, so that a metric can be looked up without loading what measures it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class Rule:
    """A function of a module of this room, which is loaded when it is called."""

    module: str
    name: str

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Return what the function does."""
        module = import_module(f"lbsense.metrics.{self.module}")
        return getattr(module, self.name)(*args, **options)


@dataclass(frozen=True, slots=True)
class Rules:
    """The functions of a module, none of which is loaded yet."""

    module: str

    def __getattr__(self, name: str) -> Rule:
        """Return the function of that name."""
        if name.startswith("__"):
            raise AttributeError(name)
        return Rule(self.module, name)
