"""The report's templates."""

from __future__ import annotations

import jinja2


def load(name: str) -> jinja2.Template:
    """A template of this folder; a name that it uses and nobody gives is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("conversion", "report"),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template(name)
