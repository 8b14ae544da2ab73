import openai
from cities import City
from scenarios import OPENAI_WEATHER, PROMPTS, Asking, converse, run, text_facts


class OpenAI(Asking):
    name = "openai"

    def sdk(self, key=None):
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key or self.key, max_retries=0, timeout=60)

    def create(self, scenario, key=None, **more):
        return self.sdk(key).chat.completions.create(
            model=self.model, messages=[{"role": "user", "content": PROMPTS[scenario]}], **more)

    def whole(self, scenario="whole"):
        completion = self.create(scenario)
        choice, usage = completion.choices[0], completion.usage
        return text_facts(
            choice.message.content, [usage.prompt_tokens, usage.completion_tokens], choice.finish_reason)

    def streamed(self):
        chunks = list(self.create("streamed", stream=True, stream_options={"include_usage": True}))
        texts = [choice.delta.content for chunk in chunks for choice in chunk.choices if choice.delta.content]
        reason = next(
            choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason)
        usage = chunks[-1].usage
        return text_facts("".join(texts), [usage.prompt_tokens, usage.completion_tokens], reason, len(texts))

    def tool(self):
        return converse("tool", lambda messages: self.sdk().chat.completions.create(
            model=self.model, messages=messages, tools=[OPENAI_WEATHER]).choices[0].message)

    def parallel(self):
        def ask(messages):
            with self.sdk().chat.completions.stream(
                    model=self.model, messages=messages, tools=[OPENAI_WEATHER]) as stream:
                return stream.get_final_completion().choices[0].message
        return converse("parallel", ask)

    def structured(self):
        completion = self.sdk().chat.completions.parse(
            model=self.model, messages=[{"role": "user", "content": PROMPTS["structured"]}], response_format=City)
        return {"value": completion.choices[0].message.parsed.model_dump()}

    def cut(self):
        choice = self.create("cut").choices[0]
        return text_facts(choice.message.content, reason=choice.finish_reason)

    def refused(self):
        return self.create("refused")

    def limited(self):
        return self.create("limited")

    def broken(self):
        return list(self.create("broken", stream=True))

    def budget(self):
        return self.create("budget", self.limited_key)

    def embeddings(self):
        return {"vector": self.sdk().embeddings.create(model=self.embedding_model, input="text").data[0].embedding}

    def listed(self):
        models = {model.id: model for model in self.sdk().models.list()}
        return {"listed": self.model in models and self.sdk().models.retrieve(self.model) == models[self.model]}


class AzureOpenAI(OpenAI):
    name = "openai, Azure"
    # Azure lists models by another API.
    listed = None

    def sdk(self, key=None):
        return openai.AzureOpenAI(
            azure_endpoint=self.url, api_version="2024-10-21", api_key=key or self.key, max_retries=0, timeout=60)


run(OpenAI, AzureOpenAI)
