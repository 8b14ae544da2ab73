"""The MCP servers of runagents, driven by the client of the package `mcp`: every tool that they have does what it says."""

import asyncio
import json

import mcp
import mcp.client.stdio
import pytest

from compatibility import check_table
from sluice_process import ADMIN_KEY, ROOT, SluiceProcess

VERSIONS = ["0.2.0", "1.3.1", "1.4.2"]
RULE = {"permission": "allow", "resource": "https://api.test/*", "operations": ["GET"]}
CORP = {"name": "mcp-corp", "spec": {"host": "corp.test", "userIDClaim": "email", "identityProvider": {
    "issuer": "https://id.test", "jwksUri": "https://id.test/keys", "audiences": ["sluice"]}}}
PLAN = {"plan_id": "mcp-plan", "actions": [{
    "id": "one", "type": "tool.upsert", "idempotency_key": "mcp-plan-1", "params": {
        "name": "mcp-planned", "base_url": "https://planned.test"}}]}


async def conversation(sluice, version):
    """Calls each tool that the version has once at least; gives what each gave, by its name."""
    api = sluice.client()
    found = {}
    parameters = mcp.StdioServerParameters(
        command=str(ROOT / f".venv/runagents-{version}/bin/runagents-mcp"), env={"RUNAGENTS_ENDPOINT": sluice.url, "RUNAGENTS_API_KEY": ADMIN_KEY, "HOME": str(sluice.directory)})
    async with mcp.client.stdio.stdio_client(parameters) as streams, mcp.ClientSession(*streams) as session:
        await session.initialize()
        tools = {tool.name: tool.inputSchema for tool in (await session.list_tools()).tools}
        listed = sorted(tools)

        async def call(name, /, **arguments):
            if name not in tools:
                return None
            # Older versions ask for less, and one for the namespace.
            known = tools[name].get("properties", {})
            arguments = {key: value for key, value in (arguments | {"namespace": "default"}).items() if key in known}
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
        if agents := await call("list_catalog_agents"):
            agents = agents["items"]
            await call("get_catalog_agent", agent_id=agents[0]["id"])
            await call("list_catalog_versions", agent_id=agents[0]["id"])
            await call("deploy_catalog_agent", agent_id=agents[0]["id"], name="mcp-from-catalog")
        await call("apply_policy", policy={"name": "mcp-policy", "spec": {"policies": [RULE]}})
        await call("get_policy", name="mcp-policy")
        await call("translate_policy", text="deny DELETE on https://api.test/*")
        await call("delete_policy", name="mcp-policy")
        made = await call("apply_approval_connector", connector={
            "name": "mcp-ops", "type": "webhook", "endpoint": f"{sluice.url}/echo"})
        connector = made and made["id"]
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
        await call("get_agent", name="nobody")
        assert found.pop("get_agent")["error"] == "HTTP 404"
        await call("get_agent", name="mcp-agent")
    return listed, found


def test_every_tool_of_every_mcp_server_works_and_the_document_says_so(tmp_path):
    works = {}
    for version in VERSIONS:
        directory = tmp_path / version
        directory.mkdir()
        sluice = SluiceProcess(directory).start()
        try:
            listed, found = asyncio.run(asyncio.wait_for(conversation(sluice, version), 120))
        finally:
            assert sluice.stop() == 0
        assert sorted(found) == listed, version
        failed = {name: value for name, value in found.items() if isinstance(value, dict) and "error" in value}
        assert failed == {}, version
        check(found)
        works[version] = set(listed)
    rows = [
        [f"`{name}`"] + ["works" if name in works[version] else "is not in it" for version in VERSIONS]
        for name in sorted(set().union(*works.values()))]
    check_table("tools", ["tool"] + VERSIONS, rows)


def check(found):
    """What the answers say, of those that the version gave."""
    assert {each["name"] for each in found["list_agents"]} == {"mcp-agent"}
    assert found["get_run_events"][0]["type"] == "USER_MESSAGE"
    assert found["validate_plan"]["valid"] is True
    assert found["apply_plan"]["results"][0]["status"] == "applied", found["apply_plan"]
    assert found["approve_request"]["status"] == "APPROVED"
    if "get_run" in found:
        assert found["get_run"]["status"] == "COMPLETED"
    if "reject_request" in found:
        assert found["reject_request"]["status"] == "REJECTED"
