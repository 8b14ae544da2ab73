"""Sources are analysed without being run: what is found, for how long it is kept, and what is refused."""

import concurrent.futures
import json
import re
import time

import pytest

import labelled_agents
from read_log import records

SOURCE = {"agent.py": "import requests\n\ndef handler(r, c=None):\n    return requests.get('https://api.acme.test/x').text\n"}
PATHS = [
    "/analyze", "/ingestion/analyze", "/api/analyze", "/api/ingestion/analyze", "/api/v1/analyze",
    "/api/v1/ingestion/analyze", "/api/v1/workspaces/default/analyze"]

# What may not become worse; docs/analysis.md has the figures as they are.
FLOORS = {
    "tool functions": (0.95, 0.95), "HTTP tools": (0.95, 0.95), "models": (0.95, 0.95), "secrets": (0.95, 0.95),
    "destinations": (0.95, 0.95), "requirements": (0.97, 0.97), "entry point": (0.95, 0.95), "framework": (0.97, 0.97),
    "tier": (0.95, 0.95)}


@pytest.fixture(scope="module")
def score(sluice):
    score, api, samples = labelled_agents.Score(), sluice.client(), labelled_agents.samples()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda sample: api.post("/api/v1/analyze", {"files": sample.files}), samples)
        answers = list(answers)
    for sample, answer in zip(samples, answers):
        assert answer.status == 201, (sample.name, answer)
        score.add(sample, answer.json)
        for name, value in labelled_agents.SECRETS.items():
            assert name in ("pem", "openai_in_no_string") or value.encode() not in answer.content, (sample.name, name)
    print("\n" + score.table(), *score.mistakes, sep="\n")
    return score


@pytest.mark.parametrize("category", FLOORS)
def test_what_is_found_is_true_and_what_is_true_is_found(score, category):
    precision, recall = FLOORS[category]
    mistakes = "\n".join(each for each in score.mistakes if f": {category}: " in each)
    assert score.precision(category) >= precision, score.table() + "\n" + mistakes
    assert score.recall(category) >= recall, score.table() + "\n" + mistakes


def test_the_labelled_agents_are_many_and_varied():
    samples = labelled_agents.samples()
    assert len(samples) >= 40
    assert len({sample.labels["framework"] for sample in samples}) >= 8
    assert sum(any(re.search(r"\.[cm]?[jt]s$", name) for name in sample.files) for sample in samples) >= 8


@pytest.mark.parametrize("path", PATHS)
def test_every_path_of_the_clients_analyses(api, path):
    answer = api.post(path, {"files": SOURCE})
    assert answer.status == 201, answer
    found = answer.json
    assert re.fullmatch(r"analysis-[0-9a-f-]{36}", found["id"])
    assert found["tools"][0]["base_url"] == "https://api.acme.test"
    assert (found["entry_point"], found["framework"], found["tier"]) == ("agent.py", "plain", "native")
    assert found["detected_requirements"] == ["requests"]
    read = api.get(path.replace("analyze", "analysis/" + found["id"]))
    assert (read.status, read.json) == (200, found)


BEGINS = {
    "annotated": ({"agent.py": "from typing import Any\nagent: Any = build()\n"}, "agent.py", "native"),
    "in-an-if": ({"main.py": "import os\nif os.name:\n    def handler(r): pass\n"}, "main.py", "native"),
    "in-a-try": ({"main.py": "try:\n    from fast import handler\nexcept ImportError:\n    handler = None\n"},
                 "main.py", "native"),
    "in-a-folder": ({"desk/clerk.py": "def handler(r): pass\n", "desk/words.py": "X = 1\n"}, "desk/clerk.py", "native"),
    "star-import": ({"main.py": "from desk import *\n", "desk.py": "def handler(r): pass\n"}, "main.py", "native"),
    "below-the-guard": ({"run.py": "if __name__ == '__main__':\n    agent = build()\n"}, "run.py", "wrap"),
    "a-text": ({"run.py": "agent = 'clerk'\nprint(agent)\n"}, "run.py", "wrap"),
    "a-module": ({"run.py": "import agent\nprint(agent)\n", "agent.py": "X = 1\n"}, "agent.py", "wrap"),
    "an-imported-function": ({"run.py": "from tools import agent\nagent()\n", "tools.py": "def agent(): pass\n"},
                             "tools.py", "native"),
    "deleted": ({"run.py": "def handler(r): pass\ndel handler\nprint(1)\n"}, "run.py", "wrap")}


@pytest.mark.parametrize("files, entry_point, tier", [pytest.param(*case, id=name) for name, case in BEGINS.items()])
def test_where_an_agent_begins_is_what_the_runtime_would_call(api, files, entry_point, tier):
    found = api.post("/analyze", {"files": files}).json
    assert (found["entry_point"], found["tier"]) == (entry_point, tier), found["tier_reason"]


REQUIREMENTS = {
    "optional": ({"a.py": "try:\n    import ujson\nexcept ImportError:\n    import requests\n"}, ["requests"]),
    "included": ({"requirements.txt": "-r more/base.txt\nidna\n", "more/base.txt": "six\n-r ../last.txt\n",
                  "last.txt": "rich\n-r requirements.txt\n"}, ["six", "rich", "idna"]),
    "another-name": ({"requirements.txt": "pdfminer.six\n", "a.py": "import pdfminer\n"}, ["pdfminer.six"]),
    "beside-a-file": ({"requirements.txt": "idna\n", "a.py": "import yaml\n"}, ["idna", "PyYAML"]),
    "poetry": ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.11"\nidna = "^3.4"\n'
                'mine = {path = "../mine"}\nrich = {version = "13.0", optional = true}\nsix = "*"\n'},
               ["idna>=3.4", "six"]),
    "uv": ({"pyproject.toml": '[project]\ndependencies = ["idna>=3", "mine"]\n[tool.uv.sources]\n'
            'mine = {git = "https://git.test/mine"}\n'}, ["idna>=3"])}


@pytest.mark.parametrize("files, lines", [pytest.param(*case, id=name) for name, case in REQUIREMENTS.items()])
def test_packages_are_those_that_an_index_has_under_that_name(api, files, lines):
    assert api.post("/requirements", {"files": files}).json["requirements"] == lines


HOLDERS = {
    "constant": ("from openai import OpenAI\nMODEL = 'gpt-4o'\nOpenAI().chat.completions.create(model=MODEL)\n", "MODEL"),
    "client": ("from openai import OpenAI\nclient = OpenAI()\nclient.chat.completions.create(model='gpt-4o')\n", "client"),
    "object": ("from langchain_openai import ChatOpenAI\nllm = ChatOpenAI(model='gpt-4o')\n", "llm"),
    "member": ("from openai import OpenAI\nclass A:\n    def __init__(self):\n        self.ai = OpenAI()\n"
               "    def ask(self):\n        return self.ai.chat.completions.create(model='gpt-4o')\n", "ai"),
    "nothing": ("from openai import OpenAI\nOpenAI().chat.completions.create(model='gpt-4o')\n", "")}


@pytest.mark.parametrize("code, name", [pytest.param(*case, id=name) for name, case in HOLDERS.items()])
def test_a_usage_names_the_variable_that_holds_the_model(api, code, name):
    usage, = api.post("/analyze", {"files": {"agent.py": code}}).json["model_usages"]
    assert (usage["model"], usage["variable_name"]) == ("gpt-4o", name)


def test_a_secret_is_described_with_what_to_do_about_it(api):
    code = f'TOKEN = "{labelled_agents.SECRETS["github"]}"\nDB = "postgres://u:{labelled_agents.SECRETS["password"]}@db/x"\n'
    secrets = api.post("/analyze", {"files": {"agent.py": code}}).json["secrets"]
    assert [secret["description"].split(" in the source: ")[0] for secret in secrets] == [
        "GitHub token", "Password within a URL"]
    assert all("revoke it" in secret["description"] for secret in secrets)


def test_one_file_that_cannot_be_read_does_not_fail_the_others(api):
    deep = "x = " + "[" * 5000 + "]" * 5000
    files = SOURCE | {"broken.py": "def (:\n", "deep.py": deep, "data.bin": "\ud83d\ude00 \x7f"}
    answer = api.post("/analyze", {"files": files})
    assert answer.status == 201, answer
    found = answer.json
    assert {error["file"] for error in found["errors"]} == {"broken.py", "deep.py"}
    assert all(error["line"] >= 1 and error["error"] for error in found["errors"])
    assert found["tools"][0]["base_url"] == "https://api.acme.test"


def test_nothing_that_is_sent_is_run(api, tmp_path):
    mark = tmp_path / "mark"
    code = f"import os\nopen({str(mark)!r}, 'w').write('run')\nos._exit(3)\n"
    answer = api.post("/analyze", {"files": {"agent.py": code, "sitecustomize.py": code, "ast.py": code, "json.py": code}})
    assert answer.status == 201 and not mark.exists()


def test_values_of_secrets_are_in_no_answer_and_not_in_the_log(sluice, api):
    value = "ghp_" + "Jq7Lw2Rt9Xz4Bv6Nm1Kc8Ps3Hd5Fg0Ty" + "Ua2B"
    code = (f'TOKEN = "{value}"\nSYSTEM_PROMPT = "You are a bot. Use the token {value} please."\n'
            f'import requests\ndef handler(r, c=None):\n    return requests.get("https://x:{value}@api.acme.test/{value}")\n')
    answer = api.post("/analyze", {"files": {"agent.py": code}})
    assert [secret["type"] for secret in answer.json["secrets"]][:1] == ["github_token"]
    assert value.encode() not in answer.content and "***" in answer.json["system_prompt_suggestion"]
    recorded = [record for segment in sorted((sluice.data / "log").glob("*.seg")) for _, record in records(segment)]
    assert recorded and not any(value.encode() in record for record in recorded)


def test_requirements_are_answered_and_nothing_is_kept(api):
    before = api.post("/analyze", {"files": SOURCE}).headers["sluice-position"]
    answer = api.post("/api/v1/requirements", {"files": SOURCE | {"requirements.txt": "requests==2.31.0\nrich\n"}})
    assert (answer.status, answer.json) == (
        200, {"requirements": ["requests==2.31.0", "rich"], "entry_point": "agent.py"})
    assert int(api.post("/analyze", {"files": SOURCE}).headers["sluice-position"]) == int(before) + 1


@pytest.mark.parametrize("body, message", [
    ({}, "files is required"), ({"files": None}, "files is required"), ({"files": {}}, "at least one file"),
    ({"files": []}, "files must be an object"), ({"files": "x"}, "files must be an object"),
    ({"files": {"a.py": 1}}, "a.py must be a string"), ({"files": {"../a.py": ""}}, "relative path"),
    ({"files": {"/etc/passwd": ""}}, "relative path"), ({"files": {f"f{n}.py": "" for n in range(1001)}}, "1000 files"),
])
def test_files_that_cannot_be_sources_are_refused(api, body, message):
    for path in ("/analyze", "/requirements"):
        answer = api.post(path, body)
        assert answer.status == 400 and message in answer.error, answer


def test_an_unknown_analysis_is_not_found(api):
    for name in ("analysis-00000000-0000-0000-0000-000000000000", "analysis-x", "x"):
        answer = api.get("/analysis/" + name)
        assert (answer.status, answer.error) == (404, "analysis not found")


def test_another_workspace_does_not_see_an_analysis(sluice, api):
    found = api.post("/api/v1/analyze", {"files": SOURCE}).json
    assert api.get(f"/api/v1/workspaces/elsewhere/analysis/{found['id']}").status == 404


def test_who_may_only_read_may_not_analyse(sluice, api):
    viewer = sluice.client(sluice.key("viewer"))
    assert viewer.post("/analyze", {"files": SOURCE}).status == 403
    found = api.post("/analyze", {"files": SOURCE}).json
    assert viewer.get("/analysis/" + found["id"]).status == 200


def test_a_repeated_request_gets_the_same_analysis(api):
    key = {"Idempotency-Key": "analysis-once"}
    first, again = (api.post("/analyze", {"files": SOURCE}, headers=key) for _ in range(2))
    assert first.json == again.json and again.headers["idempotency-replayed"] == "true"


def test_an_analysis_is_kept_for_an_hour_and_across_a_restart(own_sluice):
    sluice = own_sluice()
    answer = sluice.client().post("/analyze", {"files": SOURCE})
    found = answer.json
    sluice.restart()
    assert sluice.client().get("/analysis/" + found["id"]).json == found
    left = time.mktime(time.strptime(found["expires_at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.mktime(time.gmtime())
    assert 3500 < left <= 3600
    sluice.stop()
    for file in sluice.data.glob("read-model.sqlite*"):
        file.unlink()
    sluice.start()
    assert json.loads(sluice.client().get("/analysis/" + found["id"]).content) == found


def test_after_an_hour_an_analysis_is_gone(faulty):
    sluice = faulty()
    found = sluice.client().post("/analyze", {"files": SOURCE}).json
    sluice.set_clock_ahead(3590)
    assert sluice.client().get("/analysis/" + found["id"]).status == 200
    sluice.set_clock_ahead(3605)
    answer = sluice.client().get("/analysis/" + found["id"])
    assert (answer.status, answer.error) == (404, "analysis not found")


def test_without_python_the_answer_says_so(own_sluice):
    api = own_sluice(SLUICE_AGENT_PYTHON="no-such-python").client()
    answer = api.post("/analyze", {"files": SOURCE})
    assert answer.status == 503 and "install Python 3 or set agent-python" in answer.error
    assert answer.headers["sluice-error-code"] == "analysis_unavailable" and "retry-after" in answer.headers


def test_without_a_sandbox_it_is_analysed_all_the_same(own_sluice):
    found = own_sluice(SLUICE_AGENT_SANDBOX="none").client().post("/analyze", {"files": SOURCE})
    assert found.status == 201 and found.json["tools"][0]["base_url"] == "https://api.acme.test"
