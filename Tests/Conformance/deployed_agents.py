"""Agents that tests deploy from source, and what became of them."""

import time

SECONDS_MAX = 120


class DeployedAgents:
    """Deploys agents to a daemon, and creates runs that Sluice drives."""

    def __init__(self, sluice):
        self.sluice = sluice
        self.api = sluice.client()

    def deploy(self, name, code, **more):
        answer = self.api.post(
            "/api/v1/deploy", {"agent_name": name, "source_files": {"agent.py": code}, **more})
        assert answer.status == 201, answer
        return answer.json

    def status(self, name):
        return self.api.get(f"/api/v1/agents/{name}").json["status"]

    def await_phase(self, name, phase, containing=""):
        return self.eventually(
            lambda: self.status(name),
            lambda status: status["phase"] == phase and containing in status["message"])

    def start(self, name, message="hello", user="ada"):
        answer = self.api.post(
            "/runs", {"agent_id": name, "user_id": user, "message": message, "invoke": True})
        assert answer.status == 201, answer
        return answer.json["id"]

    def finished(self, run):
        return self.eventually(
            lambda: self.api.get(f"/runs/{run}").json, lambda run: run["status"] in ("COMPLETED", "FAILED"))

    def ask(self, name, message="hello"):
        """Runs the agent once; its whole answer."""
        run = self.start(name, message)
        finished = self.finished(run)
        assert finished["status"] == "COMPLETED", (finished, self.events(run), self.sluice.output.read_text()[-3000:])
        return self.answer(run)

    def events(self, run):
        return self.api.get(f"/runs/{run}/events").json

    def answer(self, run):
        events = [event for event in self.events(run) if event["type"] == "INVOKE_COMPLETED"]
        return events[-1]["data"]["response"]

    def eventually(self, read, accept):
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            value = read()
            if accept(value):
                return value
            assert time.monotonic() < deadline, (value, self.sluice.output.read_text()[-3000:])
            time.sleep(0.05)
