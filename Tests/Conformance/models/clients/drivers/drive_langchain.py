from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from cities import City
from scenarios import PROMPTS, Asking, call_facts, forecast, run, text_facts


@tool
def weather(city: str) -> str:
    """Tells the weather."""
    return forecast(city)


class LangChain(Asking):
    def whole(self):
        return self.facts(self.chat().invoke(PROMPTS["whole"]))

    def streamed(self):
        chunks = list(self.chat(stream_usage=True).stream(PROMPTS["streamed"]))
        message = chunks[0]
        for chunk in chunks[1:]:
            message += chunk
        return self.facts(message, sum(bool(chunk.text) for chunk in chunks))

    def facts(self, message, pieces=None):
        usage, metadata = message.usage_metadata, message.response_metadata
        return text_facts(
            message.text, [usage["input_tokens"], usage["output_tokens"]],
            metadata.get("finish_reason") or metadata.get("stop_reason"), pieces)

    def conversation(self, scenario, ask):
        """Asks, makes the calls that the model wants, and asks again with their results."""
        messages, made = [("user", PROMPTS[scenario])], []
        while (answer := ask(messages)).tool_calls:
            messages.append(answer)
            for call in answer.tool_calls:
                made.append([call["name"], call["args"]])
                messages.append(weather.invoke(call))
        return call_facts(made, answer.text)

    def tool(self):
        return self.conversation("tool", self.chat().bind_tools([weather]).invoke)

    def parallel(self):
        def ask(messages):
            parts = iter(self.chat().bind_tools([weather]).stream(messages))
            message = next(parts)
            for part in parts:
                message += part
            return message
        return self.conversation("parallel", ask)

    def structured(self):
        return {"value": self.chat().with_structured_output(City).invoke(PROMPTS["structured"]).model_dump()}

    def cut(self):
        message = self.chat().invoke(PROMPTS["cut"])
        metadata = message.response_metadata
        return text_facts(message.text, reason=metadata.get("finish_reason") or metadata.get("stop_reason"))

    def refused(self):
        return self.chat().invoke(PROMPTS["refused"])

    def limited(self):
        return self.chat().invoke(PROMPTS["limited"])

    def broken(self):
        return list(self.chat().stream(PROMPTS["broken"]))

    def budget(self):
        return self.chat(api_key=self.limited_key).invoke(PROMPTS["budget"])


class LangChainOpenAI(LangChain):
    name = "langchain-openai"

    def chat(self, **more):
        return ChatOpenAI(
            model=self.model, base_url=f"{self.url}/v1", max_retries=0, timeout=60, **{"api_key": self.key} | more)

    def embeddings(self):
        client = OpenAIEmbeddings(
            model=self.embedding_model, base_url=f"{self.url}/v1", api_key=self.key, max_retries=0,
            check_embedding_ctx_length=False)
        return {"vector": client.embed_query("text")}


class LangChainResponses(LangChainOpenAI):
    name = "langchain-openai, Responses"

    def chat(self, **more):
        return super().chat(use_responses_api=True, **more)


class LangChainAnthropic(LangChain):
    name = "langchain-anthropic"

    def chat(self, **more):
        return ChatAnthropic(
            model=self.model, base_url=self.url, max_retries=0, timeout=60, max_tokens=500,
            **{"api_key": self.key} | more)

    def counted(self):
        return {"counted": self.chat().get_num_tokens_from_messages([HumanMessage(PROMPTS["whole"])]) > 0}


class LangGraph(Asking):
    """Graphs whose model is reached by `langchain-openai`."""

    name = "langgraph"
    chat = LangChainOpenAI.chat

    def graph(self):
        model = self.chat().bind_tools([weather])
        builder = StateGraph(MessagesState)
        builder.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
        builder.add_node("tools", ToolNode([weather]))
        builder.add_edge(START, "model")
        builder.add_conditional_edges("model", tools_condition)
        builder.add_edge("tools", "model")
        return builder.compile()

    def streamed(self):
        parts = [part for part, _ in self.graph().stream(
            {"messages": [("user", PROMPTS["streamed"])]}, stream_mode="messages") if part.text]
        return text_facts("".join(part.text for part in parts), pieces=len(parts))

    def facts(self, messages):
        calls = [[call["name"], call["args"]] for each in messages if isinstance(each, AIMessage)
                 for call in each.tool_calls]
        assert sum(isinstance(each, ToolMessage) for each in messages) == len(calls)
        return call_facts(calls, messages[-1].text)

    def tool(self):
        return self.facts(self.graph().invoke({"messages": [("user", PROMPTS["tool"])]})["messages"])

    def parallel(self):
        agent = create_agent(self.chat(streaming=True), [weather])
        return self.facts(agent.invoke({"messages": [("user", PROMPTS["parallel"])]})["messages"])

    def structured(self):
        agent = create_agent(self.chat(), [], response_format=City)
        found = agent.invoke({"messages": [("user", PROMPTS["structured"])]})
        return {"value": found["structured_response"].model_dump()}

    def refused(self):
        return self.graph().invoke({"messages": [("user", PROMPTS["refused"])]})


run(LangChainOpenAI, LangChainResponses, LangChainAnthropic, LangGraph)
