"""Calls each tool that the agent has, with a GET, and says what came of it: a first look at what the gate lets through."""

from runagents import Agent


def handler(request, context):
    agent = Agent()
    found = {}
    for name in agent.available_tools():
        answer = agent.call_tool(name, "/probe", method="GET")
        found[name] = answer
    names = ", ".join(found) or "no tool: deploy the agent with required_tools"
    return {"response": f"{request.get('user_id', 'somebody')} asked; answered: {names}", "tools": found}
