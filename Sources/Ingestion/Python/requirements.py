"""The packages that Python sources need: what they say themselves, and beside it what they import."""

STANDARD = frozenset(getattr(sys, "stdlib_module_names", ())) | {
    "distutils",
    "imp",
    "asyncore",
    "asynchat",
    "smtpd",
    "_typeshed",
}
# Part of every agent's environment.
PROVIDED = {"runagents"}
OWN_NAMES = {"src", "app", "tests", "test"}


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_name(line):
    match = re.match(r"\s*([A-Za-z0-9][\w.-]*)", line)
    return normalized(match[1]) if match else None


def declared(files):
    """The lines of requirements files and of pyproject.toml; addresses and options are no packages of an index."""
    lines = []
    names = sorted(
        (path for path in files if re.search(r"(^|/)requirements(\.txt|/(base|prod|main)\.txt|\.in)$", path)),
        key=lambda path: (path.count("/"), path),
    )
    for path in names[:5]:
        # A line may go on after a backslash.
        for line in files[path].replace("\\\n", " ").splitlines():
            line = re.sub(r"(^|\s)#.*$", "", line).strip()
            line = re.sub(r"\s+--hash=\S+", "", line).strip()
            if line and line[0] not in "-." and "://" not in line and re.match(r"[A-Za-z0-9]", line):
                lines.append(line)
    for path in sorted(
        (path for path in files if re.search(r"(^|/)pyproject\.toml$", path)), key=lambda path: path.count("/")
    )[:1]:
        lines += pyproject(files[path])
    for path in sorted(path for path in files if re.search(r"(^|/)Pipfile$", path))[:1]:
        lines += pipfile(files[path])
    return lines


def read_toml(text):
    try:
        import tomllib
    except ImportError:
        return {}
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


def pyproject(text):
    document = read_toml(text)
    lines = document.get("project", {}).get("dependencies", []) if isinstance(document.get("project", {}), dict) else []
    lines = [line for line in lines if isinstance(line, str) and "://" not in line] if isinstance(lines, list) else []
    poetry = (
        document.get("tool", {}).get("poetry", {}).get("dependencies", {})
        if isinstance(document.get("tool", {}), dict)
        else {}
    )
    for name, version in poetry.items() if isinstance(poetry, dict) else []:
        if name.lower() != "python":
            lines.append(name + poetry_version(version))
    return lines


def pipfile(text):
    packages = read_toml(text).get("packages", {})
    return (
        [name + (version if isinstance(version, str) and version != "*" else "") for name, version in packages.items()]
        if isinstance(packages, dict)
        else []
    )


def poetry_version(version):
    """`^1.2` is `>=1.2`, as near as an index takes it."""
    extras = ""
    if isinstance(version, dict):
        extras = "[" + ",".join(version["extras"]) + "]" if isinstance(version.get("extras"), list) else ""
        version = version.get("version", "*")
    if not isinstance(version, str) or version == "*":
        return extras
    if version[0] in "^~":
        return (
            f"{extras}>={version[1:]}"
            if version[0] == "^"
            else f"{extras}~={version[1:]}"
            if version.count(".") > 0
            else extras
        )
    return extras + (version if version[0] in "<>=!" else f"=={version}")


def package_of(name):
    """The package on the index of an import; nothing for what comes with Python or the runtime."""
    parts = name.split(".")
    if parts[0] in STANDARD or parts[0] in PROVIDED or not parts[0]:
        return None
    for count in range(min(4, len(parts)), 0, -1):
        known = PACKAGE_PARTS.get(".".join(parts[:count]))
        if known and "{2}" in known:
            if len(parts) <= 2:
                continue
            return known.replace("{2}", parts[2].replace("_", "-"))
        if known:
            return known
    if len(parts) == 1 and parts[0] in ("google", "azure"):
        return None
    return PACKAGES.get(parts[0]) or parts[0].replace("_", "-")


def own_modules(files):
    """Top names that the sources themselves define."""
    names = set()
    for path in files:
        if not path.endswith(".py"):
            continue
        parts = path[:-3].split("/")
        for start in range(len(parts)):
            if (
                start == 0
                or parts[start - 1] in OWN_NAMES | {"lib", "backend", "server"}
                or f"{'/'.join(parts[:start])}/__init__.py" not in files
            ):
                names.add(parts[start])
    return names


def imports_at_runtime(project):
    """Names of modules, in the order of the files; those imported by a function's argument too."""
    for module in project.modules:
        froms = set()
        for name in module.imported:
            froms.add(name)
            yield name, module
        for call, scope in module.calls:
            if (dotted(call.func, scope) or "") in (
                "importlib.import_module",
                "__import__",
                "import_module",
            ) and call.args:
                name = text_of(call.args[0], scope)
                if name and not name.startswith("."):
                    yield name, module


def requirements_of(files, project):
    lines, seen = [], set()
    for line in declared(files):
        name = requirement_name(line)
        if name and name not in seen and name not in PROVIDED:
            seen.add(name)
            lines.append(line)
    own = own_modules(files)
    found = {}
    for name, module in imports_at_runtime(project):
        top = name.split(".")[0]
        if top in own and top not in STANDARD or project.by_name.get(name):
            continue
        package = package_of(name)
        if package:
            found.setdefault(normalized(package), package)
    # `google.cloud` alone, or a part of `llama_index` that another covers.
    for name, package in list(found.items()):
        if name == "llama-index" and any(other.startswith("llama-index-") for other in found):
            del found[name]
        elif name in ("azure-core", "google-api-core") and any(
            other != name and other.startswith(name.split("-")[0] + "-") for other in found
        ):
            del found[name]
    covered = {
        "psycopg2-binary": {"psycopg2"},
        "faiss-cpu": {"faiss-gpu"},
        "opencv-python": {"opencv-python-headless"},
        "pyautogen": {"autogen", "ag2"},
        "pinecone": {"pinecone-client"},
        "psycopg": {"psycopg-binary"},
        "google-api-core": {"google"},
    }
    # `crewai[tools]` brings crewai-tools along.
    extras = {
        f"{requirement_name(line)}-{normalized(extra)}"
        for line in lines
        for extra in re.findall(r"[\w.-]+", (re.match(r"[^\[;]*\[([^\]]*)\]", line) or ["", ""])[1])
    }
    extra = sorted(
        (
            package
            for name, package in found.items()
            if name not in seen | extras
            and not covered.get(name, set()) & seen
            and not ("llama-index" in seen and name.startswith("llama-index"))
        ),
        key=str.lower,
    )
    return (lines + extra)[:FINDINGS_MAX]
