"""Whatever a handler returns is an answer: it is complete, and no attempt fails because the runtime cannot send it."""

import pytest

from deployed_agents import DeployedAgents

AGENT = '''
import collections, dataclasses, datetime, decimal, enum

@dataclasses.dataclass
class Receipt:
    number: int
    of: object

class Color(enum.Enum):
    RED = "red"

class Textless:
    def __str__(self):
        raise ValueError("no text")
    __repr__ = __str__

def parts():
    yield "a"
    yield "b"

async def later_parts():
    yield "a"
    yield "b"

async def later():
    return later_parts()

def endless():
    value = []
    value.append(value)
    return {"response": "ok", "value": value}

RESULTS = {
    "generator": parts,
    "async generator": later_parts,
    "coroutine of a generator": later,
    "bytes": lambda: b"caf\\xe9 \\x00",
    "bytes of parts": lambda: (part for part in [b"a", bytearray(b"b")]),
    "set within": lambda: {"response": "ok", "value": {1}},
    "bytes within": lambda: {"response": b"\\xff"},
    "dataclass within": lambda: {"response": "ok", "value": Receipt(1, Receipt(2, Color.RED))},
    "number within": lambda: {"response": "ok", "value": decimal.Decimal("1.10")},
    "day within": lambda: {"response": "ok", "value": datetime.date(2026, 2, 28)},
    "keys of any kind": lambda: {"response": "ok", (1, 2): 3, 4: 5},
    "itself within": endless,
    "no text": lambda: Textless(),
    "no text within": lambda: {"response": "ok", "value": Textless()},
}

def handler(request, context=None):
    return RESULTS[request["message"]]()
'''
EXPECTED = {
    "generator": {"response": "ab"},
    "async generator": {"response": "ab"},
    "coroutine of a generator": {"response": "ab"},
    "bytes": {"response": "caf\\xe9 \0"},
    "bytes of parts": {"response": "ab"},
    "set within": {"value": [1]},
    "bytes within": {"response": "\\xff"},
    "dataclass within": {"value": {"number": 1, "of": {"number": 2, "of": "red"}}},
    "number within": {"value": "1.10"},
    "day within": {"value": "2026-02-28"},
    "keys of any kind": {"response": "ok", "(1, 2)": 3, "4": 5},
    "itself within": {"response": "ok", "value": ["[[...]]"]},
}


@pytest.fixture(scope="module")
def agents(sluice):
    agents = DeployedAgents(sluice)
    agents.deploy("results", AGENT)
    agents.await_phase("results", "Running")
    return agents


@pytest.mark.parametrize("kind", EXPECTED)
def test_what_a_handler_returns_is_its_answer(agents, kind):
    answer = agents.ask("results", kind)
    assert {name: answer[name] for name in EXPECTED[kind]} == EXPECTED[kind]


@pytest.mark.parametrize("kind", ["no text", "no text within"])
def test_an_object_without_a_text_fails_no_attempt(agents, kind):
    answer = agents.ask("results", kind)
    assert "Textless object" in str(answer)


@pytest.mark.parametrize("code, expected", [
    ("async def handler(request):\n    yield 'a'\n    yield 'b'\n", "ab"),
    ("def handler(request):\n    yield 'a'\n    yield request['message']\n", "ahello"),
    ("async def handler(request):\n    return b'\\xe9'\n", "\\xe9"),
])
def test_a_handler_that_is_a_generator_is_read_to_its_end(agents, code, expected):
    name = f"generating-{abs(hash(code)) % 10**8}"
    agents.deploy(name, code)
    agents.await_phase(name, "Running")
    assert agents.ask(name)["response"] == expected
