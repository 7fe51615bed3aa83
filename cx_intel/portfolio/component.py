"""The public path of the component; it is defined in `cx_intel.orchestration.component`."""

from cx_intel.orchestration.component import PortfolioComponent

__all__ = ["PortfolioComponent"]
