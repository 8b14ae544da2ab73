import anthropic
from cities import City
from scenarios import PROMPTS, WEATHER_SCHEMA, Asking, call_facts, forecast, run, text_facts

WEATHER = {"name": "weather", "description": "Tells the weather.", "input_schema": WEATHER_SCHEMA}


class Anthropic(Asking):
    name = "anthropic"

    def sdk(self, key=None):
        return anthropic.Anthropic(base_url=self.url, api_key=key or self.key, max_retries=0, timeout=60)

    def messages(self, key=None):
        return self.sdk(key).messages

    def request(self, scenario):
        return {"model": self.model, "max_tokens": 500, "messages": [
            {"role": "user", "content": PROMPTS[scenario]}]}

    def facts(self, message, pieces=None):
        usage = message.usage
        return text_facts(spoken(message), [usage.input_tokens, usage.output_tokens], message.stop_reason, pieces)

    def whole(self):
        return self.facts(self.messages().create(**self.request("whole")))

    def streamed(self):
        with self.messages().stream(**self.request("streamed")) as stream:
            pieces = len(list(stream.text_stream))
            return self.facts(stream.get_final_message(), pieces)

    def conversation(self, scenario, ask):
        """Asks, makes the calls that the model wants, and asks again with their results."""
        request, made = self.request(scenario) | {"tools": [WEATHER]}, []
        while (answer := ask(request)).stop_reason == "tool_use":
            calls = [block for block in answer.content if block.type == "tool_use"]
            made += [[call.name, call.input] for call in calls]
            request["messages"] += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": call.id, "content": forecast(call.input["city"])}
                for call in calls]}]
        return call_facts(made, spoken(answer))

    def tool(self):
        return self.conversation("tool", lambda request: self.messages().create(**request))

    def parallel(self):
        def ask(request):
            with self.messages().stream(**request) as stream:
                return stream.get_final_message()
        return self.conversation("parallel", ask)

    def structured(self):
        with self.messages().stream(output_format=City, **self.request("structured")) as stream:
            return {"value": stream.get_final_message().parsed_output.model_dump()}

    def cut(self):
        message = self.messages().create(**self.request("cut"))
        return text_facts(spoken(message), reason=message.stop_reason)

    def refused(self):
        return self.messages().create(**self.request("refused"))

    def limited(self):
        return self.messages().create(**self.request("limited"))

    def broken(self):
        return list(self.messages().create(stream=True, **self.request("broken")))

    def budget(self):
        return self.messages(self.limited_key).create(**self.request("budget"))

    def counted(self):
        request = self.request("whole")
        del request["max_tokens"]
        return {"counted": self.messages().count_tokens(tools=[WEATHER], **request).input_tokens > 0}

    def listed(self):
        models = {model.id: model for model in self.sdk().models.list(limit=2)}
        return {"listed": self.model in models and bool(models[self.model].display_name)}


def spoken(message):
    return "".join(block.text for block in message.content if block.type == "text")


run(Anthropic)
