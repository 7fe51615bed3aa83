"""A portfolio inside a `dg` project of a user's own: a thin component over the factory of `build.py`.

It adds nothing: the same assets, checks, job and schedule as in this project's own code location. How a portfolio is
written stands in docs/add-a-portfolio.md.
"""

import os
from pathlib import Path

import dagster as dg

from cx_intel.orchestration.build import definitions_of
from cx_intel.settings.environment import read_environment
from cx_intel.settings.yaml.loader import load_portfolio


class PortfolioComponent(dg.Component, dg.Model, dg.Resolvable):
    """The definitions of one portfolio.

    In `defs/my_book/defs.yaml`, with the portfolio's own file beside it:

        type: cx_intel.portfolio.component.PortfolioComponent
        attributes:
          file: my_book.yaml
    """

    file: str
    """The portfolio's YAML, relative to the component's folder."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        portfolio = load_portfolio(Path(context.path) / self.file)
        return definitions_of([portfolio], read_environment(os.environ))
