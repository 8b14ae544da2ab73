"""Small agents of many kinds with what is true of each, and how much of that an analysis finds.

A file of `Tests/Fixtures/agents` holds the sources of one agent; `labels.json` comes first. Secrets stand there as
`@@name@@`, so that no scanner takes these files for a leak; they get their value here.
"""

import json
import re

from sluice_process import ROOT

FOLDER = ROOT / "Tests" / "Fixtures" / "agents"
_RANDOM = "Zq3vK9xTb7LmW2sRf8YpHd4NcJ6gUe1A"
SECRETS = {
    "aws_id": "AKIA" + "QZ3XK7TB2LMW9SRF",
    "aws_secret": "wJ4lrXUt7nFEMIK7MDENGbPxRfi" + "CYzQ8aKk3TmVs",
    "github": "ghp_" + _RANDOM + "x9Kd",
    "slack": "xoxb-" + "2912345678-" + _RANDOM[:24],
    "slack_hook": "https://hooks.slack.com/services/" + "T02AB3CD4/B05EF6GH7/" + _RANDOM[:24],
    "stripe_live": "sk_live_" + _RANDOM[:24],
    "stripe_test": "sk_test_" + _RANDOM[4:28],
    "openai": "sk-proj-" + _RANDOM + _RANDOM[::-1],
    "anthropic": "sk-ant-api03-" + _RANDOM + "-" + _RANDOM[:8],
    "google": "AIza" + "SyD" + _RANDOM,
    "sendgrid": "SG." + _RANDOM[:22] + "." + _RANDOM + "abcdefghijk",
    "pem": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "password": "Tr0ub4dor" + "&3x",
    "hex32": "9f86d081884c7d65" + "9a2feaa0c55ad015",
    "gitlab": "glpat-" + _RANDOM[:20],
    "jwt": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiJib3QifQ." + _RANDOM,
    "random40": _RANDOM + "Xo5Bt0Gi",
    "openai_in_no_string": "use-your-own",
}


class Sample:
    def __init__(self, path):
        self.name = path.stem
        parts = re.split(r"^=== (\S+)\n", path.read_text(), flags=re.MULTILINE)[1:]
        files = dict(zip(parts[::2], parts[1::2]))
        self.labels = json.loads(files.pop("labels.json"))
        self.files = {name: re.sub(r"@@(\w+)@@", lambda match: SECRETS[match[1]], text) for name, text in files.items()}


def samples():
    return [Sample(path) for path in sorted(FOLDER.glob("*.txt"))]


def package(line):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", line)[0]).lower()


def claims(found):
    """What an analysis says, as comparable facts by category."""
    return {
        "tool functions": {tool["name"] for tool in found["tools"] if tool["kind"] == "function"},
        "HTTP tools": {
            tool.get("base_url") or "env:" + tool["env"][0] for tool in found["tools"] if tool["kind"] == "http"},
        "models": {(usage["provider"], usage["role"], usage["model"]) for usage in found["model_usages"]},
        "secrets": {(secret["type"], secret["file"], secret["line"]) for secret in found["secrets"]},
        "destinations": {destination["host"] for destination in found["outbound_destinations"]},
        "requirements": {package(line) for line in found["detected_requirements"]},
        "entry point": {found["entry_point"]},
        "framework": {found["framework"]},
        "tier": {found["tier"]},
    }


def truths(labels):
    # A model is reached over the network too, but whoever wrote the labels named what is called as a tool, or by address.
    return {
        "tool functions": set(labels["functions"]),
        "HTTP tools": set(labels["http"]),
        "models": {tuple(model) for model in labels["models"]},
        "secrets": {tuple(secret) for secret in labels["secrets"]},
        "destinations": set(labels["hosts"]),
        "requirements": {package(line) for line in labels["requirements"]},
        "entry point": {labels["entry_point"]},
        "framework": {labels["framework"]},
        "tier": {labels["tier"]},
    }


class Score:
    """How many facts were found, claimed and true, by category."""

    def __init__(self):
        self.counts = {}
        self.mistakes = []

    def add(self, sample, found):
        said, true = claims(found), truths(sample.labels)
        for category, facts in true.items():
            right, claimed, wanted = self.counts.setdefault(category, [0, 0, 0])
            self.counts[category] = [
                right + len(facts & said[category]), claimed + len(said[category]), wanted + len(facts)]
            for fact in sorted(said[category] - facts, key=str):
                self.mistakes.append(f"{sample.name}: {category}: {fact} is not true")
            for fact in sorted(facts - said[category], key=str):
                self.mistakes.append(f"{sample.name}: {category}: {fact} was not found")

    def precision(self, category):
        right, claimed, _ = self.counts[category]
        return right / claimed if claimed else 1.0

    def recall(self, category):
        right, _, wanted = self.counts[category]
        return right / wanted if wanted else 1.0

    def table(self):
        lines = ["| what | facts | precision | recall |", "|---|---|---|---|"]
        for category, (_, _, wanted) in self.counts.items():
            lines.append(
                f"| {category} | {wanted} | {self.precision(category):.2f} | {self.recall(category):.2f} |")
        return "\n".join(lines)
