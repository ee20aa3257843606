"""Plots are documented as they are called, not as they are written.

Their decorator adds parameters and a part of the docstring, which a reader of the
source alone, as the one behind the reference is, does not see.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import griffe

_DECORATOR = "lbsense.plots.scene.picture"


class Decorated(griffe.Extension):
    """Take signature and docstring of plots from the imported package."""

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        """Replace what the decorator changes."""
        if not any(item.callable_path == _DECORATOR for item in func.decorators):
            return
        plot = getattr(import_module(func.module.path), func.name)
        signature = inspect.signature(plot)
        func.parameters = griffe.Parameters(
            *(
                griffe.Parameter(
                    item.name,
                    annotation=str(item.annotation),
                    kind=griffe.ParameterKind[item.kind.name.lower()],
                    default=None if item.default is item.empty else repr(item.default),
                )
                for item in signature.parameters.values()
            )
        )
        func.returns = str(signature.return_annotation)
        func.docstring = griffe.Docstring(
            inspect.getdoc(plot) or "", parent=func, parser="numpy"
        )
