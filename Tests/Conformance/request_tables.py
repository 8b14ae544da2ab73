"""Tables of requests and of what must be in their answers, as `clients/commands.yaml` describes them."""

import copy
import datetime
import itertools
import json
import pathlib
import re

import pytest
import yaml

from http_client import HTTPClient

TABLES = pathlib.Path(__file__).parent / "clients"
V1_PREFIX = "/api/v1"
MAKERS_ERA = {"paths": "v1alpha", "headers": {"Authorization": "Bearer {key}"}}
numbers = itertools.count(1)


def read(name):
    return yaml.safe_load((TABLES / name).read_text())


class Mismatch(AssertionError):
    """An answer that is not what the table says."""


def is_time(value):
    if not isinstance(value, str) or not value.endswith("Z"):
        return False
    return datetime.datetime.fromisoformat(value).tzinfo is not None


def is_status(value):
    return isinstance(value, dict) and isinstance(value.get("phase"), str) and value["phase"] != ""


KINDS = {
    "any": lambda value: True,
    "text": lambda value: isinstance(value, str) and value != "",
    "string": lambda value: isinstance(value, str),
    "time": is_time,
    "number": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "flag": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "texts": lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    "object": lambda value: isinstance(value, dict),
    "status": is_status,
}
MISSING = object()


def member(value, path):
    """The value at a path of names and places, divided by dots."""
    for part in path.split("."):
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return MISSING
    return value


def check_members(value, expected, names):
    """Holds a value against members that are stated as values or as kinds."""
    for path, stated in expected.items():
        found = member(value, path)
        stated = filled(stated, names)
        if isinstance(stated, dict):
            check_members(found, stated, names)
            continue
        kind = stated[1:] if isinstance(stated, str) and stated.startswith("?") else stated
        if kind != stated and (found is MISSING or found is None):
            continue
        if found is MISSING:
            raise Mismatch(f"{path} is missing: {json.dumps(value)[:2000]}")
        fits = KINDS[kind](found) if isinstance(kind, str) and kind in KINDS else found == stated
        if not fits:
            raise Mismatch(f"{path} is {json.dumps(found)}, and not {stated!r}: {json.dumps(value)[:2000]}")


def filled(value, names):
    """The value with each `{name}` replaced; a text that is nothing else becomes the named value itself."""
    if isinstance(value, dict):
        return {key: filled(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, names) for each in value]
    if not isinstance(value, str):
        return value
    for name, replacement in names.items():
        if value == f"{{{name}}}":
            return replacement
        if isinstance(replacement, str):
            value = value.replace(f"{{{name}}}", replacement)
    return value


class Session:
    """A client of the table: the names of its things, and how it sends a request."""

    def __init__(self, sluice, key, table, era):
        number = next(numbers)
        self.table, self.client = table, HTTPClient("127.0.0.1", sluice.port, None)
        self.names = {name: f"{name}-{number}" for name in ("agent", "tool", "model", "policy", "identity", "connector")}
        self.names |= {"source": table.get("source", ""), "key": key, "here": sluice.url}
        self.era = era

    def make(self, things):
        """What a row needs; made by a client of the older era, with its own key."""
        maker = copy.copy(self)
        maker.era = MAKERS_ERA
        for thing in things:
            for step in self.table["things"][thing]:
                maker.perform({"status": "2xx"} | step)

    def perform(self, step):
        """Sends one request, and holds its answer against the step."""
        answer = self.send(step)
        status = step.get("status", 200)
        if answer.status != status and not (status == "2xx" and answer.status // 100 == 2):
            raise Mismatch(f"{self.target(step)}: {answer.status} and not {status}: {answer.content[:2000]!r}")
        document = json.loads(answer.content) if answer.content else None
        if isinstance(status, int) and status >= 400:
            says = filled(step.get("says", ""), self.names)
            if says not in answer.error:
                raise Mismatch(f"{self.target(step)}: {answer.error!r} does not say {says!r}")
        found = self.found(step, document)
        for each in document if isinstance(document, list) else [document]:
            check_members(each, step.get("each", {}), self.names)
        check_members(found, step.get("shows", {}), self.names)
        for name, path in step.get("keep", {}).items():
            kept = member(found, path)
            if kept is MISSING:
                raise Mismatch(f"{path} is missing: {answer.content[:2000]!r}")
            self.names[name] = kept

    def found(self, step, document):
        """The answer, or the item of it that the step looks for."""
        if "find" not in step:
            return document
        wanted = filled(step["find"], self.names)
        for each in document:
            if all(member(each, path) == value for path, value in wanted.items()):
                return each
        raise Mismatch(f"{self.target(step)}: nothing has {wanted}: {json.dumps(document)[:2000]}")

    def target(self, step):
        asked = step["ask"] if isinstance(step["ask"], str) else step["ask"][self.era["paths"] == "v1"]
        return filled(asked, self.names)

    def send(self, step):
        method, path = self.target(step).split(" ", 1)
        prefix = V1_PREFIX if self.era["paths"] == "v1" else ""
        headers = filled(self.era["headers"], self.names)
        if "body" in step:
            return self.client.request(method, prefix + path, filled(step["body"], self.names), headers)
        nothing = self.era.get("nothing") if method == "POST" else None
        return self.client.request(
            method, prefix + path, headers=headers, content=nothing.encode() if nothing else None)


class Table:
    """The rows of a table, and what came of each in each version, once: a test looks at one, and the document at all."""

    def __init__(self, name, rows, title):
        self.document = read(name)
        self.versions = list(self.document["versions"])
        self.title = title
        self.rows = [(version, row) for row in self.document[rows] for version in row["versions"]]
        self.kept = {}

    def parameters(self):
        """Each row in each version."""
        return [pytest.param(version, row, id=self.identity(version, row)) for version, row in self.rows]

    def identity(self, version, row):
        return f"{version}-" + re.sub(r"[^a-z0-9]+", "-", row[self.title].lower()).strip("-")

    def outcome(self, version, row, sluice, key):
        """The error of the row; `None` where it works."""
        identity = self.identity(version, row)
        if identity not in self.kept:
            session = Session(sluice, key, self.document, self.document["versions"][version])
            try:
                session.make(row.get("given", []))
                session.names["key"] = row.get("key", key)
                for step in row["steps"]:
                    session.perform(step)
                self.kept[identity] = None
            except Mismatch as error:
                self.kept[identity] = error
        return self.kept[identity]

    def check(self, version, row, sluice, key):
        if (error := self.outcome(version, row, sluice, key)) is not None:
            raise error

    def check_rows(self):
        """Each row has a name of its own in each version, and each version has rows."""
        assert len({self.identity(*each) for each in self.rows}) == len(self.rows)
        assert {version for version, _ in self.rows} == set(self.versions)

    def cells(self, sluice, key):
        """The rows of the document's table: what came of each in every version."""
        rows = {}
        for version, row in self.rows:
            failed = self.outcome(version, row, sluice, key) is not None
            works = "refused" if "refused" in row else "works"
            rows.setdefault(row[self.title], {})[version] = "fails" if failed else works
        return [[name, *(cells.get(version, "-") for version in self.versions)] for name, cells in rows.items()]
