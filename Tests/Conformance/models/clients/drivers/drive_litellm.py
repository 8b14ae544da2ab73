import litellm
from cities import City
from scenarios import OPENAI_WEATHER, PROMPTS, Asking, converse, run, text_facts

litellm.suppress_debug_info = True


class LiteLLM(Asking):
    def complete(self, messages, key=None, **more):
        if isinstance(messages, str):
            messages = [{"role": "user", "content": PROMPTS[messages]}]
        return litellm.completion(
            model=f"{self.prefix}/{self.model}", api_base=self.base, api_key=key or self.key, messages=messages,
            max_retries=0, num_retries=0, timeout=60, **more)

    @property
    def base(self):
        return f"{self.url}/v1"

    def facts(self, completion, pieces=None):
        choice, usage = completion.choices[0], completion.usage
        return text_facts(
            choice.message.content, [usage.prompt_tokens, usage.completion_tokens], choice.finish_reason, pieces)

    def whole(self):
        return self.facts(self.complete("whole"))

    def streamed(self):
        chunks = list(self.complete("streamed", stream=True, stream_options={"include_usage": True}))
        pieces = sum(bool(choice.delta.content) for chunk in chunks for choice in chunk.choices)
        return self.facts(litellm.stream_chunk_builder(chunks), pieces)

    def tool(self):
        return converse("tool", lambda messages: self.message(self.complete(messages, tools=[OPENAI_WEATHER])), self.turn)

    def parallel(self):
        return converse("parallel", lambda messages: self.message(litellm.stream_chunk_builder(list(
            self.complete(messages, tools=[OPENAI_WEATHER], stream=True)))), self.turn)

    @staticmethod
    def message(completion):
        return completion.choices[0].message

    @staticmethod
    def turn(message):
        return message.model_dump(exclude_none=True)

    def structured(self):
        completion = self.complete("structured", response_format=City)
        return {"value": City.model_validate_json(completion.choices[0].message.content).model_dump()}

    def cut(self):
        choice = self.complete("cut").choices[0]
        return text_facts(choice.message.content, reason=choice.finish_reason)

    def refused(self):
        return self.complete("refused")

    def limited(self):
        return self.complete("limited")

    def broken(self):
        return list(self.complete("broken", stream=True))

    def budget(self):
        return self.complete("budget", self.limited_key)


class LiteLLMOpenAI(LiteLLM):
    name, prefix = "litellm, OpenAI", "openai"

    def embeddings(self):
        answer = litellm.embedding(
            model=f"openai/{self.embedding_model}", api_base=self.base, api_key=self.key, input=["text"], max_retries=0)
        return {"vector": answer.data[0]["embedding"]}


class LiteLLMAnthropic(LiteLLM):
    name, prefix = "litellm, Anthropic", "anthropic"

    @property
    def base(self):
        return self.url


run(LiteLLMOpenAI, LiteLLMAnthropic)
