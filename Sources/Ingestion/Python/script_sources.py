"""What scripts call, and what they give models to call."""


def find_in_scripts(files, found):
    scripts = [Script(path, text) for path, text in files]
    exported = {}
    for script in scripts:
        for name, value in script.constants.items():
            exported.setdefault(name, script.parts(value))
    for script in scripts:
        for name, (module, original) in script.names.items():
            if module.startswith(".") and name not in script.constants and original in exported:
                literal = plain(exported[original])
                if literal is not None:
                    script.constants[name] = json.dumps(literal)
                elif variable_of(exported[original]):
                    script.constants[name] = "process.env." + variable_of(exported[original])
        find_script_calls(script, found)
        find_script_models(script, found)
        find_script_tools(script, found)
        find_script_prompts(script, found)
    return scripts


def find_script_calls(script, found):
    bases = {}
    for match in script.find(BASE_URL):
        parts = script.parts(match[3])
        bases[match[1] or ""] = parts
        script_address(parts, None, match.start(3), script, found)
    for match in script.find(HTTP_CALL):
        parts = script.parts(match[2])
        owner = match[1].rpartition(".")[0].rpartition(".")[2]
        if not shown(parts).startswith(("http", "ws")) and not variable_of(parts) and owner in bases:
            parts = bases[owner] + parts
        method = match[1].rpartition(".")[2] if "." in match[1] else None
        if method in (None, "request"):
            near = re.match(r"[^;]{0,300}?method\s*:\s*[\"'](\w+)[\"']", script.text[match.end() :], re.S)
            method = near[1] if near else "get" if match[1] == "fetch" else None
        script_address(
            parts,
            method.upper() if method in HTTP_METHODS | {m.upper() for m in HTTP_METHODS} else None,
            match.start(2),
            script,
            found,
        )
    for match in script.find(WEB_SOCKET):
        script_address(script.parts(match[1]), None, match.start(1), script, found)
    for match in script.find(OBJECT_URL):
        parts = script.parts(match[2])
        if URL.match(shown(parts)) and match[1] not in ("URL", "Request"):
            found.add_url(shown(parts), script.path, script.line(match.start()), kind="other")
    for module, (name, url, form) in SCRIPT_SERVICES.items():
        call = next(script.find(form), None) if module in script.imports else None
        if call:
            found.add_url(url, script.path, script.line(call.start()), tool=name)


def script_address(parts, method, offset, script, found):
    variable, text, line = variable_of(parts), shown(parts), script.line(offset)
    match = URL.match(text)
    if variable in PLATFORM_VARIABLES:
        return
    if match and match["scheme"].lower() in HTTP_SCHEMES:
        host, port = match["host"].lower(), int(match["port"]) if match["port"] else None
        provider = model_host(host, port)
        entry = found.add_url(
            text, script.path, line, method=method, tool=name_of_variable(variable) if variable else None
        )
        if provider:
            near = script.text[offset : offset + 1500]
            model = re.search(rf"\bmodel\s*:\s*({_VALUE})", near)
            model = plain(script.parts(model[1])) if model else None
            path = match["path"]
            role = (
                "embedding"
                if "embed" in path
                else "reranking"
                if "rerank" in path
                else "classify"
                if "moderation" in path
                else "chat"
            )
            found.add_usage(provider, role_of_model(role, model), model, script.path, line)
        elif entry and variable:
            note(entry, "env", variable)
    elif variable and looks_like_address(variable):
        entry = found.add_tool(name_of_variable(variable), "http", script.path, line, base_url="")
        note(entry, "env", variable)
        path = shown(parts[1:]).split(UNKNOWN)[0].split("?")[0]
        if path.strip("/"):
            note(entry, "paths", ((method + " ") if method else "") + path[:200])


def braces(text, start):
    """What stands between the brace before `start` and its other one."""
    depth, at = 1, start
    while at < len(text) and depth and at - start < 6000:
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return text[start:at]


def script_model(body, script):
    match = re.search(rf"(?<![\w.]){MODEL_NAME}\s*:\s*({_VALUE})", body)
    if not match:
        short = re.search(r"(?:^|[,{\s])(model)\s*[,}]", body)
        if not short or "model" not in script.constants:
            return None, None
        parts = script.parts(script.constants["model"])
    else:
        parts = script.parts(match[1])
    return plain(parts), variable_of(parts)


def find_script_models(script, found):
    text = script.text
    client_of = {}
    for match in script.find(r"(?:([A-Za-z_$][\w$]*)\s*=\s*)?(?:await\s+)?new\s+([A-Za-z_$][\w$]*)\("):
        module, original = script.names.get(match[2], ("", ""))
        provider = SCRIPT_CLIENTS.get(module)
        if provider is None:
            continue
        provider = "azure-openai" if original == "AzureOpenAI" else provider
        base = (
            re.search(
                rf"(?:baseURL|host|endpoint)\s*:\s*({_VALUE})", braces(text, text.find("{", match.end()) + 1)[:600]
            )
            if text[match.end() :].lstrip().startswith("{")
            else None
        )
        parts = script.parts(base[1]) if base else []
        at = URL.match(shown(parts)) if parts else None
        if at:
            provider = model_host(at["host"].lower(), int(at["port"]) if at["port"] else None) or provider
        client_of[match[1] or ""] = provider
    for name, (module, original) in script.names.items():
        if module == "ollama":
            client_of.setdefault(name, "ollama")
    for match in script.find(SCRIPT_CALLS):
        owner, method = match[1].split(".")[-1], match[2]
        owner = match[1].split(".")[-2] if owner in ("beta", "v1") and "." in match[1] else owner
        provider = client_of.get(owner)
        strong = "." in method or method.startswith("get")
        if provider is None and strong and client_of:
            provider = next(
                (each for each in client_of.values() if (each == "anthropic") == method.startswith("messages")), None
            )
        if provider is None:
            continue
        role = (
            "embedding"
            if method.startswith("embed")
            else "classify"
            if method.startswith("moder")
            else "reranking"
            if method == "rerank"
            else "chat"
        )
        model, variable = script_model(braces(text, match.end()), script)
        around = re.findall(
            r"(?:function|const|async)\s+([A-Za-z_$][\w$]*)\s*(?:=\s*(?:async\s*)?)?\(",
            text[max(0, match.start() - 600) : match.start()],
        )[-1:]
        found.add_usage(
            provider,
            role_of_model(role_of(role, *around), model),
            model,
            script.path,
            script.line(match.start()),
            variable,
        )
    for match in script.find(r"(?:([A-Za-z_$][\w$]*)\s*=\s*)?new\s+([A-Z]\w*)\(\s*(\{)?"):
        known, module = MODEL_CLASSES.get(match[2]), script.names.get(match[2], ("", ""))[0]
        if match[2] in (
            "InvokeModelCommand",
            "InvokeModelWithResponseStreamCommand",
            "ConverseCommand",
            "ConverseStreamCommand",
        ):
            known, module = ("bedrock", "chat"), "@langchain/bedrock"
        if known and re.search(r"langchain|llamaindex|@openai/agents", module):
            model, variable = script_model(braces(text, match.end()), script) if match[3] else (None, None)
            role = role_of_model(role_of(known[1], match[1]), model)
            found.add_usage(known[0], role, model, script.path, script.line(match.start()), variable)
    for module, (factory, provider) in VERCEL_PROVIDERS.items():
        names = [name for name, (source, original) in script.names.items() if source == module]
        for name in names:
            for match in script.find(
                rf"(?<![\w.$]){re.escape(name)}(?:\.(\w+))?\(\s*({_STRING}|process\.env\.\w+(?:\s*(?:\?\?|\|\|)\s*{_STRING})?)"
            ):
                parts = script.parts(match[2])
                model = plain(parts)
                role = "embedding" if "mbedding" in (match[1] or "") else "chat"
                found.add_usage(
                    provider,
                    role_of_model(role, model),
                    model,
                    script.path,
                    script.line(match.start()),
                    variable_of(parts),
                )
    if "@openai/agents" in script.imports:
        for match in script.find(r"new\s+Agent(?:<[^>]*>)?\(\s*\{"):
            model, variable = script_model(braces(text, match.end()), script)
            if model or variable:
                found.add_usage("openai", "chat", model, script.path, script.line(match.start()), variable)
    for match in script.find(rf"\binitChatModel\(\s*({_VALUE})"):
        model = plain(script.parts(match[1]))
        if model:
            provider, bare = provider_of_model(model)
            found.add_usage(provider or "unknown", "chat", bare, script.path, script.line(match.start()))


def find_script_tools(script, found):
    text = script.text

    def add(name, offset, body=""):
        described = re.search(rf"\bdescription\s*:\s*({_STRING})", body)
        found.add_tool(
            name,
            "function",
            script.path,
            script.line(offset),
            description=(plain(script.parts(described[1])) or "")[:500] if described else "",
        )

    frameworks = any(
        re.match(r"@langchain|langchain|ai$|@ai-sdk|@openai/agents|@modelcontextprotocol|llamaindex|@mastra|zod", each)
        for each in script.imports
    )
    for match in script.find(r"new\s+(?:DynamicTool|DynamicStructuredTool|FunctionTool|Tool)\(\s*\{"):
        body = braces(text, match.end())
        name = re.search(rf"\bname\s*:\s*({_STRING})", body)
        if name:
            add(plain(script.parts(name[1])) or "", match.start(), body)
    for match in script.find(r"(?<![\w.$])(?:createTool|tool)\(\s*(\{)?"):
        if not frameworks:
            continue
        if match[1]:
            body = braces(text, match.end())
            name = re.search(rf"(?:^|[,{{\s])(?:name|id)\s*:\s*({_STRING})", body)
            before = re.search(r"([A-Za-z_$][\w$]*)\s*[:=]\s*$", text[: match.start()])
            title = plain(script.parts(name[1])) if name else before[1] if before else None
        else:
            # LangChain's: the function first, then its name.
            body = text[match.end() : match.end() + 3000]
            name = re.search(rf"\bname\s*:\s*({_STRING})", body)
            title = plain(script.parts(name[1])) if name else None
        if title:
            add(title, match.start(), body)
    for match in script.find(r"\btype\s*:\s*[\"']function[\"']\s*(?:as const\s*)?,"):
        body = text[match.end() : match.end() + 800]
        name = re.search(rf"\bname\s*:\s*({_STRING})", body)
        if name and re.search(r"parameters|function\s*:", body[:800]):
            add(plain(script.parts(name[1])) or "", match.start(), body)
    for match in re.finditer(
        rf"\bname\s*:\s*({_STRING})\s*,[^{{}}]{{0,600}}?\b(?:input_schema|inputSchema)\s*:", text, re.S
    ):
        add(plain(script.parts(match[1])) or "", match.start(), match[0])
    for match in script.find(rf"\.(?:registerTool|tool)\(\s*({_STRING})\s*,"):
        if any(each.startswith("@modelcontextprotocol") for each in script.imports):
            add(plain(script.parts(match[1])) or "", match.start())


def find_script_prompts(script, found):
    for match in re.finditer(
        rf"\brole\s*:\s*[\"'](?:system|developer)[\"']\s*,\s*content\s*:\s*({_VALUE})", script.text
    ):
        add_prompt(found, 0, script.parts(match[1]))
    for match in re.finditer(
        rf"\b(?:system|systemPrompt|instructions|systemInstruction|prompt_system)\s*:\s*({_VALUE})", script.text
    ):
        add_prompt(found, 0, script.parts(match[1]))
    for match in re.finditer(
        rf"new\s+SystemMessage\(\s*({_VALUE})|\[\s*[\"']system[\"']\s*,\s*({_STRING})", script.text
    ):
        add_prompt(found, 0, script.parts(match[1] or match[2]))
    for name, value in script.constants.items():
        if re.match(r"(?i)^(system_?prompt|system_?message|instructions|sys_?prompt)$", name):
            add_prompt(found, 1, script.parts(value))
