"""Calls each tool that the agent has, with a GET, and says what came of it: a first look at what the gate lets through."""

import os

from runagents import Agent


def handler(request, context):
    agent = Agent()
    tools = [name for name in os.environ.get("TOOL_NAMES", "").split(",") if name]
    found = {name: agent.call_tool(name, "/probe", method="GET") for name in tools}
    names = ", ".join(found) or "no tool: deploy the agent with required_tools"
    return {"response": f"{request.get('user_id', 'somebody')} asked; answered: {names}", "tools": found}
