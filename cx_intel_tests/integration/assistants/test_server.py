"""The MCP server, asked by the official client: in this process, and as a program over standard input and output."""

import json
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from cx_intel.assistants.published import PublishedAnswers
from cx_intel.assistants.server import DEFINITIONS, server
from cx_intel.settings.environment import Environment
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.published_home import published_home
from cx_intel_tests.helpers.report_books import book_tables

FLEET = shipped("fleet")
TOOLS = {
    *("list_tables", "describe_table", "table_rows", "definitions"),
    *("explain_account", "whom_to_call", "what_changed", "metric"),
}
SECRET = "hush-hush-hush"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return published_home(tmp_path_factory.mktemp("home"), FLEET, book_tables(FLEET, ["Alpha", "Beta", "Gamma"]))


async def asked(client: Client, tool: str, **arguments: Any) -> tuple[bool, str]:
    found = await client.call_tool(tool, arguments)
    return bool(found.is_error), found.content[0].text  # type: ignore[union-attr]


@pytest.mark.slow
def test_every_tool_answers_and_only_reads(environment: Environment) -> None:
    async def ask() -> None:
        async with Client(server(PublishedAnswers(environment, {"fleet": FLEET}))) as client:
            tools = (await client.list_tools()).tools
            assert {tool.name for tool in tools} == TOOLS
            assert all(tool.description and tool.annotations and tool.annotations.read_only_hint for tool in tools)
            for tool, arguments in (
                ("list_tables", {}),
                ("describe_table", {"table": "dim_account"}),
                ("table_rows", {"table": "dim_account", "where": {"account_id": "c1"}}),
                ("definitions", {}),
                ("definitions", {"topic": "Retention"}),
                ("explain_account", {"account": "alpha"}),
                ("whom_to_call", {}),
                ("what_changed", {}),
                ("metric", {"name": "arpa", "month": "2025-01"}),
            ):
                is_error, text = await asked(client, tool, **arguments)
                assert (is_error, bool(json.loads(text))) == (False, True), (tool, text)
            page = await client.read_resource(DEFINITIONS)
            assert page.contents[0].text.startswith("# Definitions")  # type: ignore[union-attr]

    anyio.run(ask)


def test_what_cannot_be_answered_is_told_in_words(environment: Environment) -> None:
    async def ask() -> None:
        async with Client(server(PublishedAnswers(environment, {"fleet": FLEET}))) as client:
            assert await asked(client, "explain_account", account="alfa") == (
                True,
                "Error executing tool explain_account: There is no account 'alfa'; spelt alike are Alpha (c0, fleet).",
            )
            is_error, text = await asked(client, "table_rows", table="dim_account", limit=5000)
            assert (is_error, "less than or equal to 50" in text) == (True, True)
            is_error, text = await asked(client, "metric", name="arpa", month="2025-13")
            assert (is_error, "pattern" in text) == (True, True)

    anyio.run(ask)


@pytest.mark.slow  # a process of its own
def test_the_program_is_served_over_standard_input_and_output(environment: Environment, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in environment.home.rglob("*")}
    command = str(Path(sys.executable).with_name("cx-intel"))
    variables = {"CX_HOME": str(environment.home), "SOURCE_TOKEN": SECRET}
    program = StdioServerParameters(command=command, args=["mcp", "--portfolio", "fleet"], env=variables, cwd=tmp_path)

    async def ask() -> None:
        said = []
        async with Client(program) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
            for tool, arguments in (
                ("whom_to_call", {"limit": 1}),
                ("metric", {}),
                ("table_rows", {"table": "SOURCE_TOKEN"}),
                ("list_tables", {"portfolio": "novacrm"}),
            ):
                said.append(await asked(client, tool, **arguments))
        assert [is_error for is_error, _ in said] == [False, False, True, True]
        assert json.loads(said[0][1])["calls"][0]["account_name"] == "Alpha"
        assert "There is no portfolio 'novacrm'; there are fleet." in said[3][1]
        assert not any(SECRET in text or str(environment.home) in text for _, text in said)

    anyio.run(ask)
    assert {path: path.stat().st_mtime_ns for path in environment.home.rglob("*")} == before
