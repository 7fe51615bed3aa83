"""Where `dg` projects of users name the component from: `cx_intel.portfolio.component.PortfolioComponent`."""
