"""Which models Python sources call, and what for."""

MODEL_ARGUMENTS = (
    "model",
    "model_name",
    "model_id",
    "modelId",
    "deployment_name",
    "azure_deployment",
    "engine",
    "deployment",
    "llm",
    "ai_model_id",
)
GATEWAY_VARIABLES = {"LLM_GATEWAY_URL"}


def find_models(module, found):
    for call, scope in module.calls:
        find_model_call(call, scope, module, found)


def find_model_call(call, scope, module, found):
    name, attributes, made, where = callee(call.func, scope)
    if name is None:
        return
    around = [each.name for each in scope.chain() if not each.is_class] + [bound_name(call, scope)]
    if not attributes:
        function = MODEL_FUNCTIONS.get(name) or MODEL_FUNCTIONS.get(name.replace(".llm.", "."))
        known = function or model_class(name, scope)
        if known:
            add_model(call, scope, module, found, known[0], known[1], around, model_argument(call))
        elif name in AGENT_MODEL_ARGUMENTS:
            agent_model(call, scope, module, found, name)
        elif name in ("transformers.pipeline",):
            pipeline_model(call, scope, module, found)
        return
    if name in ("boto3.client", "boto3.session.Session", "boto3.Session") or name.endswith(".client"):
        bedrock_call(call, scope, module, found, attributes, around, made, where)
        return
    provider = CLIENT_CLASSES.get(name)
    if provider is None:
        return
    provider = client_provider(provider, made, where)
    attributes = re.sub(r"^(beta|aio|with_raw_response|async_client)\.", "", attributes)
    attributes = attributes.replace(".with_raw_response", "").replace(".with_streaming_response", "")
    role = next(
        (role for ending, role in CLIENT_METHODS if attributes == ending or attributes.endswith("." + ending)), None
    )
    if role and not attributes.startswith(
        ("files", "images", "audio", "vector_stores", "fine_tuning", "threads", "batches")
    ):
        add_model(call, scope, module, found, provider, role, around, keyword(call, *MODEL_ARGUMENTS))


def model_class(name, scope):
    last = name.split(".")[-1]
    known = MODEL_CLASSES.get(last)
    if known and "." in name and MODEL_CLASS_MODULES.search(name.rpartition(".")[0]):
        return known
    return None


def model_argument(call):
    """Named, or the first."""
    # `id` is Agno's name for it.
    return keyword(call, *MODEL_ARGUMENTS, "id") or (
        call.args[0] if call.args and not isinstance(call.args[0], (ast.Starred, ast.Dict, ast.List)) else None
    )


def add_model(call, scope, module, found, provider, role, around, argument):
    model, variable = model_text(argument, call, scope)
    if model:
        named, bare = provider_of_model(model)
        if provider is None:
            provider, model = named or text_of(keyword(call, "model_provider", "custom_llm_provider"), scope), bare
            provider = PROVIDER_ALIASES.get(provider, provider)
        elif provider == "azure-openai" and named == "openai":
            model = bare
    elif provider is None:
        provider = PROVIDER_ALIASES.get(*[text_of(keyword(call, "model_provider"), scope)] * 2)
    base = keyword(call, "base_url", "api_base", "openai_api_base", "azure_endpoint", "endpoint")
    parts = text_parts(base, scope) if base is not None else []
    if parts and provider in (None, "openai"):
        match = URL.match(shown(parts))
        if match:
            provider = model_host(match["host"].lower(), int(match["port"] or 0)) or provider
    role = role_of_model(role_of(role, *around) if role == "chat" else role, model)
    holder = holding_name(call, argument, scope)
    found.add_usage(provider or "unknown", role, model, module.path, call.lineno, variable, holder)


def model_text(argument, call, scope):
    """A model's name, and the environment variable that may say another."""
    if argument is None:
        options = next((each.value for each in call.keywords if each.arg is None), None)
        for value, where in dicts_of(options, scope) if options is not None else []:
            argument, scope = member_of(value, "model") or member_of(value, "modelId"), where
    if argument is None:
        return None, None
    if isinstance(argument, ast.Call):
        # An object that is a model itself is counted where it is made.
        name = dotted(argument.func, scope) or ""
        if model_class(name, scope) or name in MODEL_FUNCTIONS or name in CLIENT_CLASSES:
            return None, None
    parts = text_parts(argument, scope)
    return plain(parts), variable_of(parts)


def agent_model(call, scope, module, found, name):
    provider, field = AGENT_MODEL_ARGUMENTS[name]
    argument = keyword(call, field)
    if argument is None and name in (
        "pydantic_ai.Agent",
        "langchain.agents.create_agent",
        "langgraph.prebuilt.create_react_agent",
    ):
        argument = call.args[0] if call.args else None
    if argument is None:
        return
    made = origin(argument, scope)
    if made:
        # What is made elsewhere is counted there.
        return
    parts = text_parts(argument, scope)
    model, variable = plain(parts), variable_of(parts)
    if not model and not variable:
        return
    named, bare = provider_of_model(model or "")
    found.add_usage(
        named or provider or "unknown",
        role_of_model("chat", bare),
        bare,
        module.path,
        call.lineno,
        variable,
        holding_name(call, argument, scope),
    )


def client_provider(provider, made, scope):
    """Who answers, when the client is told another address."""
    base = keyword(made, "base_url", "host", "api_base", "azure_endpoint") if made is not None else None
    if base is None:
        return provider
    parts = text_parts(base, scope)
    match = URL.match(shown(parts))
    if match:
        port = int(match["port"]) if match["port"] else None
        return model_host(match["host"].lower(), port) or provider
    return provider


def bedrock_call(call, scope, module, found, attributes, around, made, where):
    service = (
        text_of((made.args[0] if made.args else keyword(made, "service_name")), where) if made is not None else None
    )
    if service not in ("bedrock-runtime", "bedrock-agent-runtime") or attributes not in (
        "invoke_model",
        "invoke_model_with_response_stream",
        "converse",
        "converse_stream",
        "rerank",
    ):
        return
    add_model(
        call,
        scope,
        module,
        found,
        "bedrock",
        "reranking" if attributes == "rerank" else "chat",
        around,
        keyword(call, "modelId"),
    )


def pipeline_model(call, scope, module, found):
    task = text_of(call.args[0] if call.args else keyword(call, "task"), scope) or ""
    role = "classify" if "classification" in task else "embedding" if task == "feature-extraction" else "chat"
    model = text_of(keyword(call, "model"), scope)
    holder = holding_name(call, keyword(call, "model"), scope)
    found.add_usage("huggingface", role, model, module.path, call.lineno, None, holder)


def bound_name(call, scope):
    """The name that a call's result is given."""
    for each in scope.chain():
        if not hasattr(each, "given"):
            each.given = {id(value): name for name, values in each.bindings.items() for value in values}
        if id(call) in each.given:
            return each.given[id(call)]
    return ""


def holding_name(call, argument, scope):
    """The name in the code that holds a model: of the model's own name, of the object that is made, or of the client."""
    if isinstance(argument, ast.Name):
        return argument.id
    if isinstance(argument, ast.Attribute):
        return argument.attr
    client = call.func
    while isinstance(client, ast.Attribute):
        inner = client.value
        if isinstance(inner, ast.Name) and inner.id in ("self", "cls"):
            return client.attr if client is not call.func else ""
        client = inner
    is_client = client is not call.func and isinstance(client, ast.Name)
    if is_client and not any(client.id in each.imports for each in scope.chain()):
        return client.id
    return bound_name(call, scope)


def find_raw_model(url, provider, call, scope, module, found):
    """A model that is called without a client: its name stands in the body."""
    path = URL.match(url)["path"] if URL.match(url) else ""
    role = (
        "embedding"
        if re.search(r"embed", path)
        else "reranking"
        if re.search(r"rerank", path)
        else "classify"
        if re.search(r"moderation|classify", path)
        else "chat"
    )
    model, variable = None, None
    named_by = None
    body = keyword(call, "json", "data", "content", "body") or (call.args[1] if len(call.args) > 1 else None)
    for value, where in dicts_of(body, scope):
        argument = member_of(value, "model")
        if argument is not None:
            parts = text_parts(argument, where)
            model, variable = plain(parts), variable_of(parts)
            named_by = argument
            break
    named = re.search(
        r"/(?:model|models|deployments)/([\w.:-]+?)(?:[:/](?:invoke|converse|generate|stream|embed|chat)\w*|$)", path
    )
    model = model or (named[1] if named else None)
    around = [each.name for each in scope.chain() if not each.is_class]
    role, holder = role_of_model(role_of(role, *around), model), holding_name(call, named_by, scope)
    found.add_usage(provider, role, model, module.path, call.lineno, variable, holder)


def find_model_lists(module, found):
    """AutoGen's `config_list`: models as dictionaries."""
    for name, values in list(module.scope.bindings.items()):
        for value in values:
            add_model_list(value, module.scope, module, found, name)
    for call, scope in module.calls:
        for each in call.keywords:
            if each.arg in ("llm_config", "config_list"):
                add_model_list(each.value, scope, module, found, each.arg)


def add_model_list(value, scope, module, found, name):
    if not re.search(r"config_list|llm_config", name):
        return
    if isinstance(value, ast.Dict):
        inner = member_of(value, "config_list")
        if inner is not None:
            return add_model_list(inner, scope, module, found, "config_list")
        entries = [value] if member_of(value, "model") is not None else []
    else:
        entries = [each for each in getattr(value, "elts", []) if isinstance(each, ast.Dict)]
    for entry in entries:
        parts = text_parts(member_of(entry, "model"), scope)
        model = plain(parts)
        kind = text_of(member_of(entry, "api_type"), scope)
        provider = PROVIDER_ALIASES.get(kind, kind) or provider_of_model(model or "")[0] or "openai"
        base = text_of(member_of(entry, "base_url"), scope)
        match = URL.match(base or "")
        if match:
            provider = model_host(match["host"].lower(), int(match["port"] or 0)) or provider
        found.add_usage(provider, "chat", model, module.path, entry.lineno, variable_of(parts), name)
