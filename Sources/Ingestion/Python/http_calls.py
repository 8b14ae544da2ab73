"""What Python sources call over HTTP, and other addresses that they reach."""

URL_ARGUMENTS = {
    "base_url",
    "url",
    "endpoint",
    "server_url",
    "api_url",
    "host",
    "api_base",
    "uri",
    "base",
    "server",
    "address",
    "webhook_url",
    "dsn",
    "connection_string",
    "azure_endpoint",
    "service_url",
    "root_url",
}
PLATFORM_VARIABLES = {"LLM_GATEWAY_URL", "GOVERNANCE_URL", "RUNAGENTS_ENDPOINT"}
QUIET_CALLS = re.compile(
    r"(^|\.)(print|debug|info|warning|error|exception|log|warn|Field|Query|Path|Body|getenv|get_env|Link|dumps"
    r"|add_argument|append_text|startswith|endswith|replace|match|search|compile|sub|split|Exception"
    r"|\w*Error|SystemMessage|HumanMessage|from_messages|from_template|PromptTemplate|Document)$"
)


def find_http_call(call, scope, module, found):
    name, attributes, made, where = callee(call.func, scope)
    method, address, base = None, None, None
    if name in HTTP_FUNCTIONS and not attributes:
        method = name.split(".")[-1]
        index = 1 if method in ("request", "stream") else 0
        address = keyword(call, "url") or (call.args[index] if len(call.args) > index else None)
    elif name in HTTP_CLIENTS and attributes:
        method = attributes.split(".")[-1]
        if method not in HTTP_METHODS | {"request", "stream", "ws_connect", "send", "build_request", "urlopen"}:
            return
        index = 1 if method in ("request", "stream", "build_request", "urlopen") else 0
        address = keyword(call, "url") or (call.args[index] if len(call.args) > index else None)
        if made is not None:
            base = keyword(made, "base_url") or (
                made.args[0] if made.args and name == "aiohttp.ClientSession" else None
            )
    elif name in HTTP_CLIENTS and (
        keyword(call, "base_url") is not None or name == "aiohttp.ClientSession" and call.args
    ):
        address = keyword(call, "base_url") or call.args[0]
    elif name in HTTP_CONNECTIONS and call.args and not attributes:
        parts = [HTTP_CONNECTIONS[name] + "://"] + text_parts(call.args[0], scope)
        return add_address(parts, None, call, scope, module, found)
    elif name in GRAPHQL_CLIENTS:
        address = keyword(call, "url") or (call.args[0] if call.args else None)
        for value, where in dicts_of(address, scope):
            for inner in value.values:
                for server, place in dicts_of(inner, where):
                    if member_of(server, "url") is not None:
                        add_address(text_parts(member_of(server, "url"), place), None, call, place, module, found)
    else:
        last = (attributes or name or "").split(".")[-1]
        if last in HTTP_METHODS | {"request"} and call.args and is_client_name(call.func):
            method, index = last, 1 if last == "request" else 0
            address = call.args[index] if len(call.args) > index else None
            parts = text_parts(address, scope)
            if shown(parts).startswith(("http://", "https://")) or variable_of(parts):
                return add_address(parts, method, call, scope, module, found)
            return
        return (
            None
            if attributes and made is not None and "." not in name
            else find_other_address(call, scope, module, found, name)
        )
    if address is None and base is None:
        return
    for parts in text_options(address, scope) if address is not None else [[]]:
        add_call(parts, base, where, method, call, scope, module, found)


def add_call(parts, base, where, method, call, scope, module, found):
    if base is not None and not shown(parts).startswith(("http://", "https://")) and not variable_of(parts):
        prefix = text_parts(base, where)
        if prefix and prefix != [UNKNOWN]:
            parts = prefix + ([] if shown(parts).startswith("/") else ["/"]) + parts
    if method == "request" or method in ("stream", "build_request"):
        method = text_of(call.args[0], scope) if call.args else text_of(keyword(call, "method"), scope)
    add_address(
        parts, (method or "").upper() if (method or "").lower() in HTTP_METHODS else None, call, scope, module, found
    )


def is_client_name(function):
    """Whether a method is called on something that is named as what calls over HTTP are made with."""
    owner = getattr(function, "value", None)
    name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return bool(re.search(r"(?i)^_*(\w*_)?(client|session|http|https|requests?|api|sess|s|c)_*$", name))


def add_address(parts, method, call, scope, module, found):
    """A tool for the address of a call; a model, when it is one's."""
    variable = variable_of(parts)
    if variable in PLATFORM_VARIABLES:
        if variable == "LLM_GATEWAY_URL":
            find_raw_model("http://gateway" + shown(parts[1:]), "openai", call, scope, module, found)
        return
    text = shown(parts)
    match = URL.match(text)
    line = call.lineno
    if match and match["scheme"].lower() in HTTP_SCHEMES:
        provider = model_host(match["host"].lower(), int(match["port"]) if match["port"] else None)
        if provider:
            found.add_url(text, module.path, line)
            find_raw_model(text, provider, call, scope, module, found)
            return
        entry = found.add_url(
            text, module.path, line, method=method, tool=name_of_variable(variable) if variable else None
        )
        if entry and variable:
            note(entry, "env", variable)
        if entry:
            note_function(entry, scope)
            note_authentication(entry, call, scope)
    elif variable and (len(parts) == 1 or isinstance(parts[1], str)) and looks_like_address(variable):
        entry = found.add_tool(name_of_variable(variable), "http", module.path, line, base_url="")
        note(entry, "env", variable)
        path = shown(parts[1:])
        if path.strip("/"):
            note(entry, "paths", ((method + " ") if method else "") + path.split(UNKNOWN)[0].split("?")[0][:200])
        note_function(entry, scope)
        note_authentication(entry, call, scope)


def looks_like_address(variable):
    return bool(re.search(r"(?i)url|uri|endpoint|host|addr|server|webhook|origin|service|base|api$|gateway", variable))


def note_function(entry, scope):
    name = next(
        (each.name for each in scope.chain() if each.name and not each.is_class and each.name != "<lambda>"), None
    )
    if name:
        note(entry, "functions", name)


def note_authentication(entry, call, scope):
    headers = keyword(call, "headers")
    for value, _ in dicts_of(headers, scope) if headers is not None else []:
        names = {str(key.value).lower() for key in value.keys if isinstance(key, ast.Constant)}
        if names & {"authorization", "x-api-key", "api-key", "apikey", "x-auth-token"}:
            entry.setdefault("auth_type", "APIKey")
    if keyword(call, "auth") is not None:
        entry.setdefault("auth_type", "APIKey")


def find_other_address(call, scope, module, found, name):
    """Addresses that are given to something else: clients of services, databases."""
    if name and (QUIET_CALLS.search(name) or name.split(".")[0] in ("logging", "logger", "re", "typer", "click")):
        return
    known = CLIENT_CLASSES.get(name) or model_class(name or "", scope)
    for argument in [each.value for each in call.keywords if each.arg in URL_ARGUMENTS] + list(call.args[:1]):
        if not isinstance(
            argument, (ast.Constant, ast.JoinedStr, ast.Name, ast.Attribute, ast.Call, ast.BinOp, ast.Subscript)
        ):
            continue
        parts = text_parts(argument, scope)
        match = URL.match(shown(parts))
        if not match:
            continue
        scheme = match["scheme"].lower()
        named = any(each.value is argument for each in call.keywords)
        if DATABASES.match(scheme):
            found.add_url(shown(parts), module.path, call.lineno, kind="database")
        elif scheme in HTTP_SCHEMES and known:
            found.add_url(shown(parts), module.path, call.lineno, kind="model")
        elif (
            scheme in HTTP_SCHEMES
            and (named or name and re.search(r"[A-Z]\w*$", name.split(".")[-1]))
            and not local_function(call.func, scope)
            and class_of(call.func, scope) is None
        ):
            found.add_url(shown(parts), module.path, call.lineno, kind="other")


def find_service(call, scope, module, found):
    """Packages that know a service's address."""
    name, attributes, _, _ = callee(call.func, scope)
    if name is None:
        return
    full = name if not attributes else f"{name}.{attributes}"
    service = SERVICE_CALLS.get(full) or (
        SERVICE_CALLS.get(name.split(".")[-1])
        if not attributes and re.match(r"(langchain|crewai|smolagents|llama_index|agno)", name)
        else None
    )
    head = name.split(".")[0]
    if (
        service is None
        and head in SERVICE_MODULES
        and "." in name
        and not is_local(head, scope)
        and head in scope_imports(scope)
    ):
        service = SERVICE_MODULES[head]
    if service:
        entry = found.add_url(service[1], module.path, call.lineno, tool=service[0])
        if entry:
            note_function(entry, scope)


def scope_imports(scope):
    return {name.split(".")[0] for each in scope.chain() for name in each.imports.values()}
