"""The MCP server of runagents 1.4.2, driven by the client of the package `mcp`: every tool it has does what it says."""

import asyncio
import json

import mcp
import mcp.client.stdio
import pytest

from compatibility import check_table
from sluice_process import ADMIN_KEY, ROOT, SluiceProcess

SERVER = ROOT / ".venv/runagents-1.4.2/bin/runagents-mcp"
RULE = {"permission": "allow", "resource": "https://api.test/*", "operations": ["GET"]}
CORP = {"name": "mcp-corp", "spec": {"host": "corp.test", "userIDClaim": "email", "identityProvider": {
    "issuer": "https://id.test", "jwksUri": "https://id.test/keys", "audiences": ["sluice"]}}}
PLAN = {"plan_id": "mcp-plan", "actions": [{
    "id": "one", "type": "tool.upsert", "idempotency_key": "mcp-plan-1", "params": {
        "name": "mcp-planned", "base_url": "https://planned.test"}}]}


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("mcp")).start()
    yield process
    assert process.stop() == 0


async def conversation(sluice):
    """Calls each tool once at least; gives what each gave, by its name."""
    api = sluice.client()
    found = {}
    parameters = mcp.StdioServerParameters(
        command=str(SERVER), env={"RUNAGENTS_ENDPOINT": sluice.url, "RUNAGENTS_API_KEY": ADMIN_KEY, "HOME": str(sluice.directory)})
    async with mcp.client.stdio.stdio_client(parameters) as streams, mcp.ClientSession(*streams) as session:
        await session.initialize()
        listed = sorted(tool.name for tool in (await session.list_tools()).tools)

        async def call(name, /, **arguments):
            answer = await session.call_tool(name, arguments)
            assert not answer.isError, (name, answer)
            found[name] = value = json.loads(answer.content[0].text)
            return value

        await call("seed_starter_kit")
        await call("create_tool", name="mcp-tool", base_url="https://api.test", description="A tool")
        await call("deploy_agent", agent_name="mcp-agent", image="registry.test/agent:1", required_tools=["mcp-tool"])
        for name in ("list_agents", "list_tools", "list_models", "get_model_spend", "export_context", "list_policies",
                     "list_approval_connectors", "get_approval_connector_defaults", "list_approval_connector_activity",
                     "list_identity_providers"):
            await call(name)
        await call("get_agent", name="mcp-agent")
        await call("get_agent_config", name="mcp-agent")
        await call("update_agent_config", name="mcp-agent", config={"system_prompt": "Be brief"})
        run = api.post("/runs", {"agent_id": "mcp-agent", "user_id": "ada"}).json["id"]
        api.post(f"/runs/{run}/events", {"type": "USER_MESSAGE", "data": {"message": "hello"}})
        requests = [api.post("/approvals/requests", {
            "subject": subject, "tool_id": "mcp-tool", "agent_id": "mcp-agent"}).json["id"] for subject in ("ada", "bob")]
        await call("approve_request", request_id=requests[0], scope="window", duration="1h")
        await call("reject_request", request_id=requests[1])
        api.patch(f"/runs/{run}", {"status": "COMPLETED"})
        await call("list_runs", agent="mcp-agent")
        for name in ("get_run", "get_run_events", "get_run_timeline", "wait_for_run", "export_run"):
            await call(name, run_id=run)
        agents = (await call("list_catalog_agents"))["items"]
        await call("get_catalog_agent", agent_id=agents[0]["id"])
        await call("list_catalog_versions", agent_id=agents[0]["id"])
        await call("deploy_catalog_agent", agent_id=agents[0]["id"], name="mcp-from-catalog")
        await call("apply_policy", policy={"name": "mcp-policy", "spec": {"policies": [RULE]}})
        await call("get_policy", name="mcp-policy")
        await call("translate_policy", text="deny DELETE on https://api.test/*")
        await call("delete_policy", name="mcp-policy")
        connector = (await call("apply_approval_connector", connector={
            "name": "mcp-ops", "type": "webhook", "endpoint": f"{sluice.url}/echo"}))["id"]
        await call("get_approval_connector", connector_id=connector)
        await call("test_approval_connector", connector_id=connector)
        await call("set_approval_connector_defaults", delivery_mode="first_success", fallback_to_ui=True, timeout_seconds=10)
        await call("delete_approval_connector", connector_id=connector)
        await call("apply_identity_provider", identity_provider=CORP)
        await call("get_identity_provider", name="mcp-corp")
        await call("delete_identity_provider", name="mcp-corp")
        await call("analyze_code", files={"agent.py": "import openai\n"})
        await call("validate_plan", plan=PLAN)
        await call("apply_plan", plan=PLAN)
        missing = await session.call_tool("get_agent", {"name": "nobody"})
        assert json.loads(missing.content[0].text)["error"] == "HTTP 404"
    return listed, found


def test_every_tool_of_the_mcp_server_works_and_the_document_says_so(sluice):
    listed, found = asyncio.run(asyncio.wait_for(conversation(sluice), 120))
    assert sorted(found) == listed
    assert {name: value for name, value in found.items() if isinstance(value, dict) and "error" in value} == {}
    assert {each["name"] for each in found["list_agents"]} == {"mcp-agent"}
    assert found["get_run"]["status"] == "COMPLETED" and found["get_run_events"][0]["type"] == "USER_MESSAGE"
    assert found["validate_plan"]["valid"] is True and found["apply_plan"]["results"][0]["status"] == "applied", found["apply_plan"]
    assert found["approve_request"]["status"] == "APPROVED" and found["reject_request"]["status"] == "REJECTED"
    check_table("tools", ["tool", "1.4.2"], [[f"`{name}`", "works"] for name in listed])
