"""A portfolio embedded in a project of a user's own gives the same assets as here."""

from pathlib import Path

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

import cx_intel
from cx_intel.orchestration.build import build_definitions
from cx_intel.orchestration.component import PortfolioComponent
from cx_intel.settings.environment import read_environment

NOVACRM = Path(cx_intel.__file__).parent / "portfolios" / "novacrm.yaml"


def test_a_component_gives_what_the_factory_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CX_HOME", str(tmp_path))
    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.scaffold_component(
            component_cls=PortfolioComponent,
            defs_path="novacrm",
            defs_yaml_contents={
                "type": "cx_intel.orchestration.component.PortfolioComponent",
                "attributes": {"file": "novacrm.yaml"},
            },
        )
        (folder / "novacrm.yaml").write_text(NOVACRM.read_text(encoding="utf-8"), encoding="utf-8")
        with sandbox.load_component_and_build_defs(defs_path=folder) as (component, definitions):
            assert isinstance(component, PortfolioComponent)
            embedded = _keys(definitions)
    own = _keys(build_definitions(read_environment({"CX_HOME": str(tmp_path)}), only=["novacrm"]))
    assert embedded == own
    assert dg.AssetKey(["novacrm", "nrr_summary"]) in embedded


def _keys(definitions: dg.Definitions) -> set[dg.AssetKey]:
    return set(definitions.resolve_asset_graph().get_all_asset_keys())
