"""Which tools Python sources have: what they call over HTTP, and what they give models to call."""


def find_tools(module, found):
    for call, scope in module.calls:
        find_http_call(call, scope, module, found)
        find_service(call, scope, module, found)
        find_tool_object(call, scope, module, found)
    for node, scope, inner in module.functions:
        find_decorated(node, scope, inner, module, found)
    for node, scope, inner in module.classes:
        find_tool_class(node, scope, inner, module, found)
    for node, scope in module.dicts:
        find_definition(node, scope, module, found)
    for call, scope in module.calls:
        if dotted(call.func, scope) == "dict":
            for node, _ in dicts_of(call, scope):
                find_definition(ast.copy_location(node, call), scope, module, found)
    find_passed_functions(module, found)


def decorator_name(node, scope):
    return dotted(node.func if isinstance(node, ast.Call) else node, scope) or ""


def find_decorated(node, scope, inner, module, found):
    for decorator in node.decorator_list:
        name = decorator_name(decorator, scope)
        last, head = name.split(".")[-1], name.rpartition(".")[0]
        if last not in TOOL_DECORATORS:
            continue
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(target, ast.Attribute):
            # `@agent.tool`, `@mcp.tool()`: on something that a framework makes.
            made = origin(target.value, scope)
            if (
                not (made and TOOL_MODULES.match(made[0]))
                and not (dotted(target, scope) or "").startswith(("runagents.",))
                and not TOOL_MODULES.match(head)
                and not (head in ("agent", "mcp", "server", "app") and made is None)
            ):
                continue
        elif not TOOL_MODULES.match(name) and not is_tool_module(name, module):
            continue
        title = node.name
        if isinstance(decorator, ast.Call):
            # CrewAI and LangChain name it first.
            given = keyword(decorator, "name", "name_override") or (
                decorator.args[0] if decorator.args and last == "tool" else None
            )
            title = text_of(given, scope) or title
        description = (
            text_of(keyword(decorator, "description", "description_override"), scope)
            if isinstance(decorator, ast.Call)
            else None
        )
        add_function_tool(title, node, module, found, description)


def is_tool_module(name, module):
    """A decorator of the project's own counts, when it is named as a tool's and there is no other."""
    head = name.rpartition(".")[0]
    if not head:
        return name in module.scope.functions or name in module.scope.imports
    return module.project.by_name.get(head) is not None


def add_function_tool(name, node, module, found, description=None):
    text = description or (
        ast.get_docstring(node) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else None
    )
    found.add_tool(
        name,
        "function",
        module.path,
        getattr(node, "lineno", 1),
        description=(text or "").strip().split("\n\n")[0][:500],
    )


def find_tool_object(call, scope, module, found):
    """`StructuredTool.from_function(f)`, `Tool(name=…, func=f)`, `FunctionTool(f, …)`, `register_function(f, …)`."""
    name, attributes, _, _ = callee(call.func, scope)
    full = ".".join(part for part in (name, attributes) if part)
    parts = full.split(".")
    last = parts[-1]
    is_class = last in TOOL_CLASSES and TOOL_MODULES.match(full)
    is_maker = last in ("from_function", "from_defaults", "from_fn") and len(parts) > 1 and parts[-2] in TOOL_CLASSES
    is_registered = last == "register_function" and (TOOL_MODULES.match(full) or keyword(call, "caller") is not None)
    if not (is_class or is_maker or is_registered):
        return
    given = text_of(keyword(call, "name"), scope)
    function = keyword(call, "func", "fn", "coroutine", "function", "async_fn") or (call.args[0] if call.args else None)
    if is_class and given is None and isinstance(function, ast.Constant):
        given = text_of(function, scope)
    node = local_function(function, scope)[0] if function is not None and local_function(function, scope) else None
    title = (
        given
        or (node.name if node is not None else None)
        or (function.attr if isinstance(function, ast.Attribute) else None)
    )
    if title:
        description = text_of(keyword(call, "description"), scope)
        add_function_tool(title, node if node is not None else call, module, found, description)


def find_passed_functions(module, found):
    """Plain functions in `tools=[…]` of an agent, or bound to a model."""
    for call, scope in module.calls:
        name, attributes, _, _ = callee(call.func, scope)
        last = (attributes or name or "").split(".")[-1]
        tools = keyword(call, "tools", "functions")
        if (
            tools is None
            and last in ("bind_tools", "ToolNode", "create_react_agent", "create_tool_calling_agent")
            and call.args
        ):
            tools = call.args[1] if last.startswith("create") and len(call.args) > 1 else call.args[0]
        if tools is None or isinstance(tools, ast.Constant):
            continue
        if not (
            last in ("bind_tools", "ToolNode")
            or last[:1].isupper()
            or last.startswith("create")
            or last in ("chat", "run", "generate")
        ):
            continue
        for element, where in elements(tools, scope):
            if isinstance(element, (ast.Name, ast.Attribute)):
                function = local_function(element, where)
                if function and not is_decorated_tool(function[0], function[1].parent):
                    add_function_tool(function[0].name, function[0], function[1].module, found)


def is_decorated_tool(node, scope):
    return any(decorator_name(each, scope).split(".")[-1] in TOOL_DECORATORS for each in node.decorator_list)


def find_tool_class(node, scope, inner, module, found):
    """Subclasses of a framework's tool: the name is an attribute."""
    bases = {(dotted(base, scope) or "").split(".")[-1]: dotted(base, scope) or "" for base in node.bases}
    base = next((full for last, full in bases.items() if last in TOOL_CLASSES), None)
    if base is None or not TOOL_MODULES.match(base):
        return
    given = inner.bindings.get("name")
    name = text_of(given[-1], inner) if given else None
    described = inner.bindings.get("description")
    add_function_tool(name or node.name, node, module, found, text_of(described[-1], inner) if described else None)


def find_definition(node, scope, module, found):
    """A tool as a model's interface describes it: OpenAI's, Anthropic's, Bedrock's and Gemini's."""
    keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
    function = None
    if "function" in keys and text_of(member_of(node, "type"), scope) == "function":
        function = next((value for value, _ in dicts_of(member_of(node, "function"), scope)), None)
    elif {"name", "parameters"} <= keys and ("type" in keys and text_of(member_of(node, "type"), scope) == "function"):
        function = node
    elif {"name", "input_schema"} <= keys or {"name", "description", "inputSchema"} <= keys:
        function = node
    elif "toolSpec" in keys:
        function = next((value for value, _ in dicts_of(member_of(node, "toolSpec"), scope)), None)
    elif {"name", "description", "parameters"} <= keys and isinstance(
        member_of(node, "parameters"), (ast.Dict, ast.Name, ast.Call)
    ):
        function = node
    if function is None:
        return
    name = text_of(member_of(function, "name"), scope)
    if name and re.fullmatch(r"[\w.-]{1,64}", name):
        found.add_tool(
            name,
            "function",
            module.path,
            node.lineno,
            description=(text_of(member_of(function, "description"), scope) or "")[:500],
        )
