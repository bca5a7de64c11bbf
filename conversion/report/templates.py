"""The report's templates."""

from __future__ import annotations

import jinja2

from conversion.printing import counted


def load(name: str) -> jinja2.Template:
    """A template of this folder, which can count things; a name that it uses and nobody gives is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("conversion", "report"),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.globals["counted"] = counted
    return environment.get_template(name)
