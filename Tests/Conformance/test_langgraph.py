"""A LangGraph agent as its users write it: a graph, a chat model, and a tool that is called through the gate."""

import json

import pytest

from agents_world import agents, approver, module_sluice, world  # noqa: F401 - fixtures
from scripted_provider import Anthropic, Answer, Bedrock, Ollama

REQUIREMENTS = "langgraph>=1,<2\nlangchain-openai>=1,<2"
CODE = """
import json
import os
import urllib.request

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

PAY = os.environ["TOOL_URL_" + os.environ["TOOL_NAMES"].upper().replace("-", "_")]


@tool
def charge(amount: int) -> str:
    "Charges a card."
    body = json.dumps({"amount": amount}).encode()
    request = urllib.request.Request(PAY + "/charges", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return response.read().decode()


def handler(request, context=None):
    model = ChatOpenAI(model=os.environ["LLM_MODEL"]).bind_tools([charge])
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode([charge], handle_tool_errors=False))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    state = graph.compile().invoke({"messages": [("user", request["message"])]})
    return state["messages"][-1].content
"""


def charges_once(body):
    answered = [message for message in body["messages"] if message["role"] == "tool"]
    if answered:
        return {"role": "assistant", "content": "the tool said " + answered[-1]["content"]}
    return {"role": "assistant", "content": None, "tool_calls": [
        {"id": "call-1", "type": "function", "function": {"name": "charge", "arguments": '{"amount": 7}'}}]}


def test_a_graph_waits_for_an_approval_and_pays_once(world, approver):  # noqa: F811
    world.model.say = charges_once
    world.deploy(CODE, requirements=REQUIREMENTS, **world.needs_approval())
    world.agents.await_phase(world.agent_name, "Running")
    run = world.agents.start(world.agent_name, "charge seven")
    request = world.pending(run)
    assert request["tool_id"] == world.tool_name and world.tool.calls.empty()
    world.decide(approver, run, "approve")
    assert world.agents.finished(run)["status"] == "COMPLETED", json.dumps(world.agents.events(run), indent=1)
    assert world.agents.answer(run)["response"].strip() == 'the tool said {"charged": 7}'
    assert world.tool.next_call()[2] == {"amount": 7} and world.tool.calls.empty()
    types = world.types(run)
    assert types.index("APPROVAL_REQUIRED") < types.index("APPROVAL_GRANTED") < types.index("TOOL_CALLED")


@pytest.mark.parametrize("kind", [Anthropic, Bedrock, Ollama], ids=lambda kind: kind.kind)
def test_the_same_graph_runs_on_each_providers_model(world, approver, kind):  # noqa: F811
    provider = kind()

    def say(body):
        has_result = any(word in json.dumps(body) for word in ('"tool_result"', '"toolResult"', '"role": "tool"'))
        return Answer("paid") if has_result else Answer(calls=[("call-1", "charge", {"amount": 7})])

    provider.say = say
    # Another provider's key would not follow to this one.
    assert world.api.delete(f"/api/v1/model-providers/{world.model_name}").status == 200
    assert world.api.post("/api/v1/model-providers", {
        "name": world.model_name, "credentials": provider.credentials,
        "spec": provider.spec(world.model_name)}).status == 201
    world.deploy(CODE, requirements=REQUIREMENTS, **world.needs_approval())
    run = world.agents.start(world.agent_name, "charge seven")
    world.decide(approver, run, "approve")
    assert world.agents.finished(run)["status"] == "COMPLETED", json.dumps(world.agents.events(run), indent=1)
    assert world.agents.answer(run)["response"] == "paid"
    assert world.tool.next_call()[2] == {"amount": 7} and world.tool.calls.empty()
    calls = [event["data"] for event in world.agents.events(run) if event["type"] == "LLM_CALL"]
    metered = [call for call in calls if not call.get("replayed")]
    assert metered and all(
        call["provider"] == world.model_name and call["prompt_tokens"] == 7 and not call.get("estimated")
        for call in metered), metered
    provider.close()
