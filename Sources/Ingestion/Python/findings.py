"""What was found, each once, and how addresses are read."""

URL = re.compile(
    r"^(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^/?#@\s]*@)?(?P<host>\[[0-9a-fA-F:.]+\]|[^/?#:@\s\0]+)(?::(?P<port>\d{1,5}))?(?P<path>[^?#\0]*)",
    re.I,
)
DATABASES = re.compile(
    r"^(postgres(ql)?|mysql|mariadb|mongodb|redis|rediss|amqps?|mssql|oracle|clickhouse|neo4j|bolt)(\+\w+)*$"
)
HTTP_SCHEMES = {"http", "https", "ws", "wss"}
COMMON_HOST_PARTS = {
    "api",
    "www",
    "app",
    "rest",
    "graphql",
    "gateway",
    "api2",
    "apis",
    "internal",
    "v1",
    "v2",
    "rpc",
    "hooks",
}


class Findings:
    def __init__(self):
        self.tools = {}
        self.models = {}
        self.usages = {}
        self.destinations = {}
        self.prompts = []
        self.errors = []

    def add_url(self, url, file, line, kind="tool", method=None, tool=None):
        """An address that the code reaches; with `kind` tool also the tool that it is."""
        match = URL.match(url)
        if not match:
            return None
        scheme, host, port = match["scheme"].lower(), match["host"].lower().strip("."), match["port"]
        if scheme not in HTTP_SCHEMES and not DATABASES.match(scheme):
            return None
        if not re.fullmatch(r"[\w.-]+|\[[0-9a-f:.]+\]", host):
            return None
        number = int(port) if port else {"http": 80, "https": 443, "ws": 80, "wss": 443}.get(scheme)
        provider = model_host(host, number)
        kind = "model" if provider else kind if scheme in HTTP_SCHEMES else "database"
        entry = self.destinations.setdefault(
            (scheme, host, port),
            {
                "host": host,
                "scheme": scheme,
                **({"port": number} if number else {}),
                "kind": kind,
                "file": file,
                "line": line,
            },
        )
        if kind == "tool":
            base = f"{scheme}://{host}" + (f":{port}" if port else "")
            found = self.add_tool(
                tool or name_of_host(host),
                "http",
                file,
                line,
                base_url=base,
                scheme="HTTPS" if scheme in ("https", "wss") else "HTTP",
                port=number,
            )
            path = match["path"]
            if path and path != "/":
                note(found, "paths", ((method + " ") if method else "") + path[:200])
            return found
        return entry

    def add_tool(self, name, kind, file, line, **more):
        """A tool of that name; more of it is added to what is known already."""
        name = name.strip()[:200]
        key = (kind, more.get("base_url") or name.lower())
        found = self.tools.get(key)
        if found is None:
            if len(self.tools) >= FINDINGS_MAX or not name:
                return {}
            taken = {tool["name"] for tool in self.tools.values() if tool["kind"] == kind}
            if kind == "http" and name in taken:
                host = URL.match(more.get("base_url") or "")
                name = host["host"].replace(".", "-") if host else name + f"-{len(taken)}"
            found = self.tools[key] = {"name": name, "kind": kind, "file": file, "line": line}
        for field, value in more.items():
            if value not in (None, "", []):
                found.setdefault(field, value)
        return found

    def add_usage(self, provider, role, model, file, line, variable=None, variable_name=""):
        """A model that is called.

        - variable: the environment variable that may name another model.
        - variable_name: the name in the code that holds the model, its client or its name.
        """
        if len(self.usages) >= FINDINGS_MAX:
            return
        usage = {
            "role": role,
            "provider": provider,
            "model": model or "",
            "variable_name": variable_name,
            "file": file,
            "line": line,
        }
        if variable:
            usage["model_env"] = variable
        self.usages.setdefault((provider, role, model or variable or ""), usage)
        names = self.models.setdefault(provider, {"name": provider, "provider": provider, "models": []})["models"]
        if model and model not in names:
            names.append(model)


def note(entry, field, value, most=50):
    """Adds to a list of an entry, each once."""
    values = entry.setdefault(field, [])
    if value not in values and len(values) < most:
        values.append(value)


def model_host(host, port=None):
    if port == 11434:
        return "ollama"
    if re.match(r"bedrock(-agent)?-runtime[\w-]*\.[\w-]+\.amazonaws\.com", host):
        return "bedrock"
    return next(
        (
            provider
            for known, provider in MODEL_HOSTS.items()
            if host == known or host.endswith("." + known) or host.endswith("-" + known)
        ),
        None,
    )


def name_of_host(host):
    """`stripe` for api.stripe.com, `crm` for crm.internal.example.com, `localhost` for itself."""
    if re.fullmatch(r"[\d.]+|\[.*\]", host):
        return re.sub(r"[^\w]+", "-", host).strip("-")
    parts = host.split(".")
    if len(parts) > 2 and re.fullmatch(r"svc|local|internal", parts[-1]) or len(parts) > 2 and "svc" in parts:
        return parts[0]
    if len(parts) > 1:
        parts = parts[:-1]
        if len(parts) > 1 and parts[-1] in ("co", "com", "org", "gov", "ac", "net") and len(host.split(".")[-1]) == 2:
            parts = parts[:-1]
    while len(parts) > 1 and parts[0] in COMMON_HOST_PARTS:
        parts = parts[1:]
    # crm.acme.com is the crm, acme's; api.stripe.com is stripe.
    return parts[0]


def name_of_variable(name):
    """`crm` for CRM_API_BASE_URL; what TOOL_URL_ says is the tool's own name."""
    if name.startswith("TOOL_URL_"):
        return name[9:].lower().replace("_", "-")
    short = re.sub(
        r"(?i)(_?(api|service|svc|server|rest|graphql))?_?(base)?_?(url|uri|endpoint|host|addr|address|origin|webhook)$",
        "",
        name,
    )
    return (short or name).lower().strip("_").replace("_", "-")


def provider_of_model(name):
    """Whose model that is, by its name; and the name without the provider's."""
    for separator in ("/", ":"):
        head, _, rest = name.partition(separator)
        if rest and (
            head in PROVIDER_ALIASES or head in MODEL_HOSTS.values() or head in ("bedrock", "ollama", "huggingface")
        ):
            if separator == ":" and head in ("mistral",) and not re.search(r"-|large|small", rest):
                continue
            return PROVIDER_ALIASES.get(head, head), rest
    for form, provider in MODEL_NAME_PROVIDERS:
        if form.match(name):
            return provider, name
    return None, name


def role_of(role, *names):
    """What a chat model is for, when the names around it say so."""
    if role == "chat":
        around = " ".join(name for name in names if name).lower()
        if re.search(r"classif|moderat", around):
            return "classify"
        if re.search(r"re_?rank", around):
            return "reranking"
    return role


def role_of_model(role, model):
    """A model's own name says more than the call."""
    lowered = (model or "").lower()
    if (
        "embed" in lowered
        or lowered.startswith(("text-similarity", "bge-", "baai/bge-m3", "voyage-"))
        and "rerank" not in lowered
    ):
        return "embedding"
    if "rerank" in lowered:
        return "reranking"
    return "classify" if "moderation" in lowered else role
