"""Runs in the environment of the published client: reads runs, events and agents until its input ends, and prints what
came of it as JSON. Arguments: endpoint, API key, agent."""

import json
import select
import sys

import runagents

endpoint, key, agent = sys.argv[1:4]
client = runagents.Client(endpoint=endpoint, api_key=key)
counts, failures = {"lists": 0, "runs": 0, "events": 0}, []
while not select.select([sys.stdin], [], [], 1)[0]:
    try:
        runs = client.runs.list(agent)
        counts["lists"] += 1
        for run in runs[:5]:
            assert client.runs.get(run.id).id == run.id
            counts["runs"] += 1
            counts["events"] += len(client.runs.events(run.id))
        client.agents.get(agent)
        client.tools.list()
    except Exception as error:
        failures.append(f"SDK: {type(error).__name__}: {error}")
print(json.dumps({"counts": counts, "failures": failures}))
