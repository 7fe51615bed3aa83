"""The commands, by subject; `cx_intel.cli.app` takes them in."""
