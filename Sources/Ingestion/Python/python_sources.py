"""Python files as a whole."""

PROMPT_NAME = re.compile(
    r"(?i)^_*(\w*_)?(system_?prompt|system_?message|sys_?prompt|instructions?|system_?instructions?|prompt_system|persona|system)_*$"
)


def read_python(files, found):
    """The modules that can be read; of the others, what is wrong with them."""
    project = Project()
    for path, text in files:
        try:
            project.add(Module(path, ast.parse(text.lstrip("\ufeff")), project))
        except SyntaxError as error:
            found.errors.append({"file": path, "line": error.lineno or 1, "error": f"syntax error: {error.msg}"})
        except (ValueError, RecursionError, MemoryError) as error:
            found.errors.append({"file": path, "line": 1, "error": f"cannot be read: {type(error).__name__}"})
    project.bind_arguments()
    return project


def find_in_python(project, found):
    for module in project.modules:
        try:
            find_models(module, found)
            find_model_lists(module, found)
            find_tools(module, found)
            find_prompts(module, found)
        except RecursionError:
            found.errors.append({"file": module.path, "line": 1, "error": "nested too deeply to be read whole"})


def find_prompts(module, found):
    """What is said to a model about itself, the surest first."""
    for call, scope in module.calls:
        name = (callee(call.func, scope)[0] or "").split(".")[-1]
        for each in call.keywords:
            if each.arg in (
                "system",
                "system_prompt",
                "instructions",
                "system_message",
                "system_instruction",
                "state_modifier",
                "prompt",
                "messages_modifier",
            ):
                if each.arg != "prompt" or name in ("create_react_agent", "create_agent"):
                    add_prompt(found, 0, text_parts(each.value, scope))
        if name in ("SystemMessage", "SystemMessagePromptTemplate", "from_template") and "System" in ast.dump(
            call.func
        ):
            content = keyword(call, "content", "template") or (call.args[0] if call.args else None)
            add_prompt(found, 0, text_parts(content, scope))
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.Tuple)
            and len(node.elts) == 2
            and isinstance(node.elts[0], ast.Constant)
            and node.elts[0].value == "system"
        ):
            add_prompt(found, 0, text_parts(node.elts[1], module.scope))
    for node, scope in module.dicts:
        if text_of(member_of(node, "role"), scope) in ("system", "developer"):
            add_prompt(found, 0, text_parts(member_of(node, "content"), scope))
    for scope in [module.scope] + [inner for _, _, inner in module.classes + module.functions]:
        for name, values in scope.bindings.items():
            if PROMPT_NAME.match(name):
                add_prompt(found, 1, text_parts(values[-1], scope))
    for call, scope in module.calls:
        if (callee(call.func, scope)[0] or "").split(".")[-1] == "Agent" and keyword(call, "backstory") is not None:
            add_prompt(found, 2, text_parts(keyword(call, "backstory"), scope))


def add_prompt(found, rank, parts):
    text = shown(parts).replace(UNKNOWN, "…").strip()
    if len(text) >= 10 and text.count(" ") >= 1 and not text.startswith("…"):
        found.prompts.append((rank, text[:TEXT_MAX]))
