"""Which file the runtime is to import, and whether it would find something to call there.

One answer for an analysis, a build and a deploy: what the runtime (`Execution/Python/handlers.py`) looks for in a module,
as far as the text says.
"""

USUAL_FILES = ["agent.py", "main.py", "app.py", "handler.py"]
# The names of objects that need no framework that is known here.
OBJECT_NAMES = ("agent", "chain", "executor", "graph", "crew")
SCRIPT_ENTRIES = ["agent", "index", "main", "app", "server"]
# Frameworks whose objects are called under any name, and packages that agents without a framework are written with: only
# the import of a module that uses one says what is in it.
CALLED_PACKAGES = [
    *("langgraph", "langchain", "langchain_core", "langchain_openai", "langchain_anthropic", "deepagents"),
    *("pydantic_ai", "agents", "smolagents", "crewai", "google.adk", "agent_framework", "ag2", "autogen"),
    *("autogen_agentchat", "autogen_core", "llama_index", "workflows", "agno", "strands", "haystack", "dspy"),
    *("semantic_kernel", "camel", "langroid", "griptape", "marvin", "mirascope", "instructor", "claude_agent_sdk"),
    *("litellm", "google.genai", "openai", "anthropic"),
]
# Values that nothing can call.
LITERALS = (
    *(ast.Constant, ast.JoinedStr, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp),
    *(ast.GeneratorExp, ast.Compare),
)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
HOW_TO_NAME = (
    "define handler(request) or main(message), or an object named agent, chain, executor, graph or crew, "
    "and name its file as entry_point"
)
SHOWN_FILES = 3


def is_main_guard(node):
    return isinstance(node, ast.If) and "'__main__'" in ast.dump(node.test)


def top_level(body):
    """The statements that an import runs, in their order: also those inside of `if`, `try`, `with` and loops."""
    for node in body:
        yield node
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            continue
        if not is_main_guard(node):
            yield from top_level(getattr(node, "body", []))
        for handler in getattr(node, "handlers", []):
            yield from top_level(handler.body)
        for case in getattr(node, "cases", []):
            yield from top_level(case.body)
        yield from top_level(getattr(node, "orelse", []))
        yield from top_level(getattr(node, "finalbody", []))


def names_after_import(module):
    """The names that a module may have after its import, each with what it is bound to in the order of the text."""
    if hasattr(module, "names"):
        return module.names
    module.names = names = {}
    for node in top_level(module.tree.body):
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            bind_names(ast.Name(node.name), node, names)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                other = module.project.by_name.get(getattr(node, "module", None) or "") if alias.name == "*" else None
                for name, values in names_after_import(other).items() if other else ():
                    names.setdefault(name, []).extend(values)
                bind_names(ast.Name(alias.asname or alias.name.partition(".")[0]), node, names)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                bind_names(target, node.value, names)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            bind_names(node.target, node.value, names)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                if item.optional_vars is not None:
                    bind_names(item.optional_vars, item.context_expr, names)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                names.pop(getattr(target, "id", None), None)
    return names


def bind_names(target, value, names):
    if isinstance(target, ast.Name):
        names.setdefault(target.id, []).append(value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else [None] * len(target.elts)
        for each, part in zip(target.elts, parts):
            # What a call gives back in parts may be anything.
            bind_names(each, part if part is not None else value, names)


def definitions(name, module, depth=0):
    """What a name may stand for, followed through names and imports of the same project, each with its module.

    Modules are left out: nothing calls them.
    """
    for value in names_after_import(module).get(name, []) if depth <= DEPTH_MAX else []:
        if isinstance(value, ast.Import):
            continue
        if isinstance(value, ast.Name) and value.id != name and value.id in names_after_import(module):
            yield from definitions(value.id, module, depth + 1)
            continue
        if isinstance(value, ast.ImportFrom):
            qualified = module.scope.imports.get(name, "")
            if qualified in module.project.by_name:
                continue
            other, last = module.project.find(qualified)
            if other and other is not module and last in names_after_import(other):
                yield from definitions(last, other, depth + 1)
                continue
        yield value, module


def is_own_class_without(node, where, methods):
    """True for an object of a class of the project that has none of the methods, and no base to have them from."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return False
    made = [value for value, _ in definitions(node.func.id, where)]
    if not made or not all(isinstance(each, ast.ClassDef) for each in made):
        return False
    if any(each.bases or each.keywords or each.decorator_list for each in made):
        return False
    own = {name for each in made for name in defined_in(each)}
    return not own & {"__getattr__", *methods}


def defined_in(node):
    """The names of a class's own methods and members."""
    for each in node.body:
        if isinstance(each, FUNCTIONS):
            yield each.name
        elif isinstance(each, (ast.Assign, ast.AnnAssign)):
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def is_callable(name, module):
    """True when the runtime may call what the module has under one of the names that it looks for."""
    return any(calls(name, value, where, module) for value, where in definitions(name, module))


def calls(name, value, where, module):
    if isinstance(value, LITERALS):
        return False
    if name in ("handler", "main"):
        return not is_own_class_without(value, where, ("__call__",))
    if isinstance(value, FUNCTIONS):
        # A function under an object's name counts where it is defined: others are helpers that were imported.
        return where is module
    return not isinstance(value, ast.ClassDef) and not is_own_class_without(value, where, ("invoke", "run", "kickoff"))


def defines_callable(module):
    return any(is_callable(name, module) for name in ("handler", *OBJECT_NAMES, "main"))


def uses_framework(module, own):
    """True when the objects of the module can be called, whatever their names are."""
    return any(
        name == known or name.startswith(known + ".")
        for name in module.imported
        for known in CALLED_PACKAGES
        if known.partition(".")[0] not in own
    )


def entry_point_of(files, project, scripts):
    """The file that the runtime is to look into; empty when nothing says."""
    named = langgraph_entry(files)
    if named:
        return named
    modules = {module.path: module for module in project.modules}
    usual = [path for path in USUAL_FILES if path in modules]
    top = usual + sorted(path for path in modules if "/" not in path and path not in usual)
    nested = sorted(
        (path for path in modules if "/" in path and not re.search(r"(^|/)(tests?|examples?|docs|scripts)/", path)),
        key=lambda path: (path.count("/"), path.split("/")[-1] not in USUAL_FILES, path),
    )
    nested_usual = [path for path in nested if path.split("/")[-1] in USUAL_FILES]
    nested_others = [path for path in nested if path not in nested_usual and not path.endswith("__init__.py")]
    for path in top + nested_usual:
        if defines_callable(modules[path]) and not is_test(path):
            return path
    # A `main` in a folder is mostly a tool's of its own.
    for path in nested_others:
        if any(is_callable(name, modules[path]) for name in ("handler", *OBJECT_NAMES)) and not is_test(path):
            return path
    own = own_modules(files)
    for path in top + nested_usual:
        if uses_framework(modules[path], own) and not is_test(path):
            return path
    for path in top + nested:
        if modules[path].has_main and not is_test(path):
            return path
    if usual:
        return usual[0]
    candidates = [path for path in top + nested if not path.endswith("__init__.py") and not is_test(path)]
    if len(candidates) == 1:
        return candidates[0]
    called = [path for path in candidates if modules[path].calls]
    if len(called) == 1 and not scripts:
        return called[0]
    if scripts and not candidates:
        return script_entry(files, scripts)
    return ""


def is_test(path):
    return bool(re.search(r"(^|/)(test_\w+|\w+_test|conftest|setup|config|settings|constants)\.py$", path))


def langgraph_entry(files):
    """The first graph of a langgraph.json."""
    try:
        graphs = json.loads(files.get("langgraph.json", "")).get("graphs", {})
        first = str(next(iter(graphs.values()))).partition(":")[0]
    except (ValueError, AttributeError, StopIteration, RecursionError):
        return None
    first = first[2:] if first.startswith("./") else first
    return first if first in files else None


def script_entry(files, scripts):
    paths = [script.path for script in scripts]
    try:
        package = json.loads(files.get("package.json", "{}"))
        start = (package.get("scripts") or {}).get("start", "")
        for named in [package.get("main") or "", *re.findall(r"[\w./-]+\.[cm]?[jt]sx?", start)]:
            named = named[2:] if named.startswith("./") else named
            if named in files:
                return named
            source = re.sub(r"^(dist|build|lib)/", "src/", re.sub(r"\.[cm]?js$", ".ts", named))
            if source in files:
                return source
    except (ValueError, AttributeError, RecursionError):
        pass
    for folder in ("", "src/"):
        for name in SCRIPT_ENTRIES:
            for path in paths:
                if re.fullmatch(rf"{folder}{name}\.[cm]?[jt]sx?", path):
                    return path
    return paths[0] if len(paths) == 1 else ""


def has_code(module):
    """True when a module does something, or defines something that does: texts and numbers alone are no code, unless they
    have the name of what is called.
    """
    harmless = (ast.Import, ast.ImportFrom, ast.Pass, ast.If, ast.Try)
    for node in top_level(module.tree.body):
        if is_main_guard(node):
            return True
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr)):
            if any(isinstance(each, (ast.Call, ast.Await)) for each in ast.walk(node)):
                return True
            targets = getattr(node, "targets", [getattr(node, "target", None)])
            if any(isinstance(each, ast.Name) and each.id in ("handler", "main", *OBJECT_NAMES) for each in targets):
                return True
        elif not isinstance(node, harmless):
            return True
    return False


def start_of(files, project, scripts, errors):
    """What a deploy starts: the entry point, or the reason why the code would not be run.

    Neither for sources without code, such as a prompt alone: the runtime's own loop answers for them.
    """
    path = entry_point_of(files, project, scripts)
    modules = {module.path: module for module in project.modules}
    own = own_modules(files)
    if path in modules and (defines_callable(modules[path]) or uses_framework(modules[path], own)):
        return path, ""
    broken = [error for error in errors if error["file"].endswith(".py")]
    code = [module.path for module in project.modules if has_code(module) and not is_test(module.path)]
    if broken:
        first = broken[0]
        return "", f"{first['file']}, line {first['line']}: {first['error']}; the code is not run"
    if code:
        shown = ", ".join(sorted(code, key=lambda each: each != path)[:SHOWN_FILES])
        more = f" and {len(code) - SHOWN_FILES} more" if len(code) > SHOWN_FILES else ""
        return "", f"the code of {shown}{more} is not run: it defines nothing that the runtime calls; {HOW_TO_NAME}"
    if scripts:
        return "", (
            f"the code of {scripts[0].path} is not run: agents of sources are Python; deploy it as an image that answers "
            "POST /invoke"
        )
    return "", ""
