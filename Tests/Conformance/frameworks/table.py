"""The table of frameworks in docs/agents.md, made of what the tests have found."""

import re

from sluice_process import ROOT

DOCUMENT = ROOT / "docs/agents.md"
BEGIN, END = "<!-- frameworks: begin -->", "<!-- frameworks: end -->"
COLUMNS = {
    "test_an_approved_payment_is_made_once[undisturbed": "approved",
    "test_an_approved_payment_is_made_once[process_killed": "process killed",
    "test_an_approved_payment_is_made_once[daemon_killed": "daemon killed",
    "test_a_rejected_payment_is_not_made[": "rejected",
    "test_two_payments_of_one_turn_are_decided_one_by_one_and_made_once_each[": "two in one turn",
}
PACKAGES = {
    "langgraph": "langgraph", "openai_agents": "openai-agents", "pydantic_ai": "pydantic-ai-slim",
    "smolagents": "smolagents", "llama_index": "llama-index-core", "ag2": "ag2",
    "agent_framework": "agent-framework-core", "google_adk": "google-adk", "crewai": "crewai"}


def version(framework):
    """The version that the tests install, as the framework's row names it."""
    package = {"langchain_agent": "langchain", "openai_loop": "openai", "anthropic_loop": "anthropic"}.get(
        framework.file) or PACKAGES[framework.environment]
    pinned = (ROOT / f"Tests/Conformance/frameworks/requirements/{framework.environment}.txt").read_text()
    return re.search(rf"(?m)^{re.escape(package)}==(\S+)$", pinned)[1]


def rows(frameworks, outcomes):
    """`outcomes` maps a test's name, with its parameters, to whether it has passed."""
    yield "| framework | version | " + " | ".join(COLUMNS.values()) + " |"
    yield "|---" * (len(COLUMNS) + 2) + "|"
    for framework in frameworks:
        cells = []
        for prefix in COLUMNS:
            name, _, how = prefix.partition("[")
            found = [
                passed for test, passed in outcomes.items()
                if test.startswith(name + "[") and how in test and re.search(rf"[\[-]{framework.file}[\]-]", test)]
            cells.append("" if not found else "once" if all(found) else "fails")
        cells = [cell.replace("once", "not made") if column == "rejected" else cell
                 for cell, column in zip(cells, COLUMNS.values())]
        yield f"| {framework.title} | {version(framework)} | " + " | ".join(cells) + " |"


def write(frameworks, outcomes):
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(f"{before}{BEGIN}\n" + "\n".join(rows(frameworks, outcomes)) + f"\n{END}{after}")
