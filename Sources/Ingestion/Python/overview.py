"""Where an agent begins, what it is made with, and what it takes to run it."""

USUAL_FILES = ["agent.py", "main.py", "app.py", "handler.py"]
CALLABLES = {"handler", "main", "agent", "chain", "executor", "graph", "crew"}
SCRIPT_ENTRIES = ["agent", "index", "main", "app", "server"]


def defines_callable(module):
    names = set(module.scope.functions) | set(module.scope.bindings)
    # The runtime looks for these in a module.
    return bool(names & CALLABLES)


def entry_point_of(files, project, scripts):
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
    for path in top + [path for path in nested if path.split("/")[-1] in USUAL_FILES]:
        if defines_callable(modules[path]) and not is_test(path):
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


def framework_of(files, project, scripts):
    imported = {name for module in project.modules for name in module.imported}
    own = own_modules(files)
    for framework, names in FRAMEWORKS:
        if any(
            name == known or name.startswith(known + ".")
            for name in imported
            for known in names
            if known.split(".")[0] not in own
        ):
            return framework
    for framework, known in SCRIPT_FRAMEWORKS:
        if any(
            name == known or name.startswith(known if known.endswith("/") else known + "/")
            for script in scripts
            for name in script.imports
        ):
            return framework
    return "plain"


def tier_of(entry_point, project, scripts, framework, errors):
    """`native` runs as it is, `wrap` after a small change, `image` not by the Python runtime."""
    modules = {module.path: module for module in project.modules}
    if not modules:
        return (
            ("image", "there is no Python in it: deploy it as an image that answers POST /invoke")
            if scripts
            else ("image", "there is no source in it that can be read: deploy it as an image that answers POST /invoke")
        )
    if any(error["file"] == entry_point for error in errors):
        return "wrap", f"{entry_point} cannot be read: see errors"
    if not entry_point:
        return "wrap", "nothing says where it begins: name an entry_point that defines handler(request, context)"
    if entry_point in modules and defines_callable(modules[entry_point]):
        return "native", f"{entry_point} defines what the runtime calls"
    return "wrap", f"{entry_point} defines nothing that the runtime calls, such as handler(request, context)"
