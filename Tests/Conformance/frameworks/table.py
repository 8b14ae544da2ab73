"""The table of frameworks in docs/agents.md, made of what the tests have found."""

import re

from sluice_process import ROOT

DOCUMENT = ROOT / "docs/agents.md"
BEGIN, END = "<!-- frameworks: begin -->", "<!-- frameworks: end -->"
# A column is a test, with the disturbance that its parameters name, or with any.
COLUMNS = {
    "approved": ("test_an_approved_payment_is_made_once", "undisturbed"),
    "process replaced": ("test_an_approved_payment_is_made_once", "process_replaced"),
    "process killed": ("test_an_approved_payment_is_made_once", "process_killed"),
    "daemon killed": ("test_an_approved_payment_is_made_once", "daemon_killed"),
    "rejected": ("test_a_rejected_payment_is_not_made", ""),
    "two in one turn": ("test_two_payments_of_one_turn_are_decided_one_by_one_and_made_once_each", "in_order"),
    "in reverse order": ("test_two_payments_of_one_turn_are_decided_one_by_one_and_made_once_each", "in_reverse"),
    "one of two rejected": ("test_the_payment_that_was_not_rejected_is_made_at_most_once", ""),
}
IN_WORDS = {"rejected": "not made", "one of two rejected": "at most once"}
PACKAGES = {
    "langgraph": "langgraph", "openai_agents": "openai-agents", "pydantic_ai": "pydantic-ai-slim",
    "smolagents": "smolagents", "llama_index": "llama-index-core", "ag2": "ag2",
    "agent_framework": "agent-framework-core", "google_adk": "google-adk", "crewai": "crewai"}


def version(framework):
    """The version that the tests install, as the framework's row names it."""
    package = "langchain" if framework.file == "langchain_agent" else PACKAGES.get(
        framework.environment, framework.file.partition("_")[0])
    pinned = (ROOT / f"Tests/Conformance/frameworks/requirements/{framework.environment}.txt").read_text()
    return re.search(rf"(?m)^{re.escape(package)}==(\S+)$", pinned)[1]


def rows(frameworks, outcomes, earlier=()):
    """The table's lines.

    - Parameters:
      - outcomes: for each test's name, with its parameters, whether it has passed.
      - earlier: the lines of the table until now, for the cells that these tests say nothing of.
    """
    yield "| framework | version | several calls | " + " | ".join(COLUMNS) + " |"
    yield "|---" * (len(COLUMNS) + 3) + "|"
    for framework in frameworks:
        head = f"| {framework.title} | {version(framework)} | {framework.form} | "
        known = next((line[len(head):-2].split(" | ") for line in earlier if line.startswith(head)), ())
        cells = [cell(framework, column, outcomes) for column in COLUMNS]
        if len(known) == len(cells):
            cells = [new or old for new, old in zip(cells, known)]
        yield head + " | ".join(cells) + " |"


def cell(framework, column, outcomes):
    """The outcome of the tests of one cell; empty when there was none."""
    test, how = COLUMNS[column]
    found = [
        passed for name, passed in outcomes.items()
        if name.startswith(test + "[") and how in name and re.search(rf"[\[-]{framework.file}[\]-]", name)]
    return "" if not found else IN_WORDS.get(column, "once") if all(found) else "fails"


def write(frameworks, outcomes):
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    table, after = rest.split(END)
    lines = "\n".join(rows(frameworks, outcomes, table.splitlines()))
    DOCUMENT.write_text(f"{before}{BEGIN}\n{lines}\n{END}{after}")
