"""``lbsense vendor``: lbsense itself as files for a notebook without a network."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from lbsense._files import replace_file
from lbsense.cli.console import ScreenOptions, note
from lbsense.cli.options import expand_options

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
        Path, typer.Argument(metavar="DIR", help="Folder to write, made if needed.")
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
