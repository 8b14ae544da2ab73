"""Reads the files, and says what is in them."""


def python_of(files, found):
    return read_python([(path, text) for path, text in sorted(files.items()) if path.endswith(".py")], found)


def scripts_of(files, found):
    return find_in_scripts(
        [
            (path, text)
            for path, text in sorted(files.items())
            if SCRIPT_FILES.search(path) and not path.endswith(".d.ts") and "node_modules/" not in path
        ],
        found,
    )


def starting(files):
    """What a build and a deploy need: the packages, and the entry point or the reason why there is none."""
    found = Findings()
    project, scripts = python_of(files, found), scripts_of(files, found)
    requirements, left_out, guessed = requirements_of(files, project)
    entry_point, refusal = start_of(files, project, scripts, found.errors)
    # Addresses may hold a password.
    left_out = [re.sub(r"://[^/@\s]*@", "://***@", line)[:TEXT_MAX] for line in left_out]
    return {
        "requirements": requirements,
        "guessed": guessed,
        "left_out": left_out,
        "entry_point": entry_point,
        "refusal": refusal,
    }


def analyze(files):
    found, secrets, values = Findings(), [], set()
    for path, text in files.items():
        find_secrets(path, text, secrets, values)
    project = python_of(files, found)
    find_in_python(project, found)
    scripts = scripts_of(files, found)
    entry_point = entry_point_of(files, project, scripts)
    framework = framework_of(files, project, scripts)
    tier, reason = tier_of(entry_point, project, scripts, framework, found.errors)
    prompts = sorted(found.prompts, key=lambda one: (one[0], -len(one[1])))
    answer = {
        "framework": framework,
        "runtime_family": "python" if project.modules else "node" if scripts else "unknown",
        "adapter": framework if tier == "native" else "none",
        "tier": tier,
        "tier_reason": reason,
        "entry_point": entry_point,
        "tools": list(found.tools.values()),
        "model_providers": list(found.models.values()),
        "model_usages": list(found.usages.values()),
        "outbound_destinations": list(found.destinations.values())[:FINDINGS_MAX],
        "detected_requirements": requirements_of(files, project)[0],
        "system_prompt_suggestion": prompts[0][1] if prompts else "",
        "errors": found.errors[:FINDINGS_MAX],
    }
    # The longest first: one may be a part of another.
    answer = masked(answer, sorted(values, key=len, reverse=True))
    secrets.sort(key=lambda secret: (SEVERITIES.index(secret["severity"]), secret["file"], secret["line"]))
    answer["secrets"] = secrets[:FINDINGS_MAX]
    return answer


if sys.version_info < (3, 10):
    raise RuntimeError("needs Python 3.10")
sys.setrecursionlimit(3000)
# Surrogates that a JSON text can name are no text of a file.
received = json.loads(sys.stdin.buffer.read())
sources = {path: text.encode("utf-8", "replace").decode() for path, text in received["files"].items()}
result = starting(sources) if received.get("starting") else analyze(sources)
sys.stdout.buffer.write(json.dumps(result, ensure_ascii=False).encode("utf-8", "replace"))
