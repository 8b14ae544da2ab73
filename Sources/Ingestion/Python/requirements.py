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
    """The lines of requirements files and of pyproject.toml; and those that name no package of an index."""
    lines, left_out = [], []
    names = sorted(
        (path for path in files if re.search(r"(^|/)requirements(\.txt|/(base|prod|main)\.txt|\.in)$", path)),
        key=lambda path: (path.count("/"), path),
    )
    for path in names[:5]:
        requirements_file(files, path, lines, left_out, set())
    for path in sorted(
        (path for path in files if re.search(r"(^|/)pyproject\.toml$", path)), key=lambda path: path.count("/")
    )[:1]:
        add_lines(pyproject(files[path]), lines, left_out)
    for path in sorted(path for path in files if re.search(r"(^|/)Pipfile$", path))[:1]:
        add_lines(pipfile(files[path]), lines, left_out)
    return lines, left_out


def add_lines(found, lines, left_out):
    """Options, addresses and files are no packages of an index."""
    for line in found:
        isolated = re.sub(r"\s+--hash[= ]\S+", "", line).strip()
        if re.match(r"[A-Za-z0-9]", isolated) and "@" not in isolated and "://" not in isolated:
            lines.append(isolated)
        elif isolated:
            left_out.append(isolated)


def requirements_file(files, path, lines, left_out, seen):
    """Reads a requirements file with those that it includes."""
    if path in seen or len(seen) >= FINDINGS_MAX:
        return
    seen.add(path)
    # A line may go on after a backslash.
    for line in files[path].lstrip("\ufeff").replace("\\\n", " ").splitlines():
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        included = re.match(r"(?:-r|--requirement)[\s=]*(\S+)$", line)
        other = resolved(path, included[1]) if included else None
        if other in files:
            requirements_file(files, other, lines, left_out, seen)
        else:
            add_lines([line], lines, left_out)


def resolved(path, other):
    """The path that a file means by another one's."""
    parts = path.split("/")[:-1]
    for part in other.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


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
    lines = table(document, "project").get("dependencies", [])
    lines = [line for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
    # What uv takes from elsewhere is another package than the index's of that name.
    elsewhere = {normalized(name) for name in table(document, "tool", "uv", "sources")}
    lines = [f"{line} @ elsewhere" if requirement_name(line) in elsewhere else line for line in lines]
    return lines + named_versions(table(document, "tool", "poetry", "dependencies"))


def pipfile(text):
    return named_versions(table(read_toml(text), "packages"))


def table(document, *names):
    """A table of a TOML document; an empty one in the place of anything else."""
    for name in names:
        document = document.get(name, {})
        if not isinstance(document, dict):
            return {}
    return document


def named_versions(packages):
    """Packages as Poetry and Pipenv name them."""
    lines = []
    for name, version in packages.items():
        if name.lower() == "python" or isinstance(version, dict) and version.get("optional") is True:
            continue
        is_elsewhere = isinstance(version, dict) and {"path", "git", "url", "file", "develop"} & set(version)
        lines.append(f"{name} @ elsewhere" if is_elsewhere else name + poetry_version(version))
    return lines


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
    """Names of modules that have to be there, in the order of the files; those imported by a function's argument too."""
    for module in project.modules:
        for name in module.needed:
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
    """The packages to install, each as a line; those of the sources' own lines that name none of an index; and the imports
    whose packages no table knows, so that they were taken for packages of the same name."""
    named, left_out = declared(files)
    lines, seen = [], set()
    for line in named:
        name = requirement_name(line)
        if name and name not in seen and name not in PROVIDED:
            seen.add(name)
            lines.append(line)
    own = own_modules(files)
    found, guesses = {}, {}
    for name, module in imports_at_runtime(project):
        top = name.split(".")[0]
        if top in own and top not in STANDARD or project.by_name.get(name):
            continue
        package = package_of(name)
        if package:
            found.setdefault(normalized(package), package)
            if is_guess(package):
                guesses.setdefault(package, top)
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
            and not is_part_of(name, found[name], seen)
            and not covered.get(name, set()) & seen
            and not ("llama-index" in seen and name.startswith("llama-index"))
        ),
        key=str.lower,
    )
    guessed = [guesses[package] for package in extra if package in guesses]
    return (lines + extra)[:FINDINGS_MAX], left_out[:FINDINGS_MAX], guessed[:FINDINGS_MAX]


def is_guess(package):
    return package not in PACKAGES.values() and package not in PACKAGE_PARTS.values()


def is_part_of(name, package, declared_names):
    """True for a guess that a declared package with a longer name covers, as `pdfminer-six` covers `pdfminer`."""
    return is_guess(package) and any(set(name.split("-")) <= set(each.split("-")) for each in declared_names)
