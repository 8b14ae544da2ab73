"""Drives the client that openapi-python-client made of /openapi.json: deploys, lists, asks and approves.

Arguments: the directory with the package `sluice_client`, the daemon's address, an admin key. Prints what the models say.
"""

import json
import sys

sys.path.insert(0, sys.argv[1])

from sluice_client import AuthenticatedClient
from sluice_client.api.agents import get_agents
from sluice_client.api.approvals import (get_approvals_requests, get_approvals_requests_request_id, post_approvals_requests,
                                         post_approvals_requests_request_id_approve)
from sluice_client.api.deploy import post_deploy
from sluice_client.api.runs import (get_runs, get_runs_run_id, post_runs, post_runs_run_id_actions,
                                    post_runs_run_id_actions_action_id_approve)
from sluice_client.models import (ApprovalDecision, ApprovalScope, ApproveBlockedAction, CreateAccessRequest,
                                  CreateBlockedAction, CreateRun, DeployRequest, Error, SourceFiles)

AGENT, USER, HASH = "generated-client", "generated-user", "a" * 64
client = AuthenticatedClient(
    base_url=sys.argv[2] + "/api/v1", token=sys.argv[3], raise_on_unexpected_status=True)

files = SourceFiles()
files["agent.py"] = "def handler(request):\n    return {}\n"
deployed = post_deploy.sync(client=client, body=DeployRequest(agent_name=AGENT, source_files=files))
refused = post_deploy.sync(client=client, body=DeployRequest(agent_name=AGENT))
assert isinstance(refused, Error), refused
run = post_runs.sync(client=client, body=CreateRun(agent_id=AGENT, user_id=USER))
action = post_runs_run_id_actions.sync(run.id, client=client, body=CreateBlockedAction(
    tool_id="payments", capability="pay", payload_hash=HASH))
approved = post_runs_run_id_actions_action_id_approve.sync(
    run.id, action.action_id, client=client, body=ApproveBlockedAction(payload_hash=HASH))
request = post_approvals_requests.sync(client=client, body=CreateAccessRequest(
    subject=USER, tool_id="payments", agent_id=AGENT, run_id=run.id, capability="pay", payload_hash=HASH,
    tool_method="POST", tool_url="https://bank.test/payments"))
pending = [each.id for each in get_approvals_requests.sync(client=client)]
shown = get_approvals_requests_request_id.sync(request.id, client=client)
decided = post_approvals_requests_request_id_approve.sync(
    request.id, client=client, body=ApprovalDecision(scope=ApprovalScope.ONCE))
unknown = [each.additional_properties for each in (deployed, run, action, approved, request, shown, decided)]
print(json.dumps({
    "deployed": deployed.agent, "refused": refused.error, "agents": [each.name for each in get_agents.sync(client=client)],
    "runs": [str(each.id) for each in get_runs.sync(client=client, agent_id=AGENT)], "run": str(run.id),
    "status": get_runs_run_id.sync(run.id, client=client).status, "action": approved.status,
    "is_pending": request.id in pending, "shown": [shown.capability, shown.payload_hash, shown.tool_method, shown.tool_url],
    "decided": decided.status, "unknown": unknown}))
