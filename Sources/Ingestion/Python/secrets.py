"""Secrets in sources: by the forms that services give them, by the names they are assigned to, and by their entropy.

Their values are found, remembered for as long as the program runs, to keep them out of its answer, and never written.
"""

ENTROPY_MIN = 4.5

SECRET_FORMS = [
    ("private_key", "critical", r"-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY(?: BLOCK)?-----"),
    ("aws_access_key_id", "high", r"(?<![A-Z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Z0-9])"),
    (
        "aws_secret_access_key",
        "critical",
        r"(?i:aws_?(?:secret)?_?(?:access)?_?(?:secret|key)[\w\"'\]]*\s*[:=,]\s*[\"']?)([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
    ),
    ("github_token", "critical", r"(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
    ("gitlab_token", "critical", r"(?<!\w)glpat-[A-Za-z0-9_-]{20,}"),
    ("slack_token", "critical", r"(?<!\w)(?:xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,})"),
    ("slack_webhook", "high", r"hooks\.slack\.com/(?:services|workflows)/(?:[A-Za-z0-9]+/){2}[A-Za-z0-9]{16,}"),
    ("stripe_key", "critical", r"(?<!\w)(?:sk|rk)_live_[0-9A-Za-z]{16,}"),
    ("stripe_key", "medium", r"(?<!\w)(?:sk|rk)_test_[0-9A-Za-z]{16,}"),
    ("stripe_webhook_secret", "high", r"(?<!\w)whsec_[0-9A-Za-z+/=]{24,}"),
    ("anthropic_key", "critical", r"(?<![\w-])sk-ant-[A-Za-z0-9_-]{20,}"),
    ("openrouter_key", "critical", r"(?<![\w-])sk-or-v1-[a-f0-9]{32,}"),
    (
        "openai_key",
        "critical",
        r"(?<![\w-])sk-(?!ant-|or-)(?:proj-|svcacct-|admin-)?(?=[A-Za-z0-9_-]*\d)[A-Za-z0-9_-]{20,}",
    ),
    ("google_api_key", "high", r"(?<![\w-])AIza[0-9A-Za-z_-]{35}(?![\w-])"),
    ("sendgrid_key", "critical", r"(?<!\w)SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    ("huggingface_token", "high", r"(?<!\w)hf_[A-Za-z0-9]{30,}"),
    ("npm_token", "critical", r"(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)"),
    ("pypi_token", "critical", r"(?<!\w)pypi-AgE[A-Za-z0-9_-]{50,}"),
    ("groq_key", "critical", r"(?<!\w)gsk_[A-Za-z0-9]{40,}"),
    ("twilio_key", "high", r"(?<!\w)SK[0-9a-f]{32}(?!\w)"),
    ("telegram_token", "high", r"(?<!\w)\d{8,10}:AA[A-Za-z0-9_-]{33}(?![\w-])"),
    ("jwt", "high", r"(?<![\w-])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    ("password_in_url", "high", r"(?i)[a-z][a-z0-9+.-]{1,24}://[^\s:/@\"'`<>{}$]{0,80}:([^\s/@\"'`]{1,200})@[\w\[]"),
]
SECRET_FORMS = [(kind, severity, re.compile(form)) for kind, severity, form in SECRET_FORMS]

SECRET_DESCRIPTIONS = {
    "aws_access_key_id": "AWS access key id",
    "aws_secret_access_key": "AWS secret access key",
    "github_token": "GitHub token",
    "gitlab_token": "GitLab token",
    "openai_key": "OpenAI API key",
    "openrouter_key": "OpenRouter API key",
    "anthropic_key": "Anthropic API key",
    "google_api_key": "Google API key",
    "sendgrid_key": "SendGrid API key",
    "huggingface_token": "Hugging Face token",
    "pypi_token": "PyPI token",
    "npm_token": "npm token",
    "jwt": "JSON Web Token",
    "password_in_url": "Password within a URL",
    "generic_secret": "Value with the name of a secret",
    "high_entropy_string": "Random text that looks like a secret",
}
SECRET_ADVICE = "revoke it, and give the new one in env or to the tool that needs it"

_WORD = (
    r"(?:api[_-]?key|apikey|access[_-]?key|secret[_-]?key|private[_-]?key|auth[_-]?key|encryption[_-]?key|signing[_-]?key"
    r"|secret|token|passwd|password|passphrase|pwd|credential|auth)"
)
SECRET_WORD = re.compile(f"(?i){_WORD}")
_NAME = rf"(?i:[\w.-]{{0,60}}?{_WORD}[\w-]{{0,40}})"
_QUOTED = r"(?:[rbuRBU]{0,2})(?P<quote>[\"'`])(?P<value>(?:(?!(?P=quote))[^\n\\]|\\.)*)(?P=quote)"
# name = "value", "name": "value", name="value" in a call, setdefault("name", "value"), getenv("NAME", "value")
ASSIGNMENT = re.compile(
    rf"(?P<name>(?<![\w.-]){_NAME})[\"'`]?\]?\s*(?::\s*(?:str|string|String)\s*=|(?<![=!<>])=(?!=)|:(?!:|=)|,(?=\s*[\"']))\s*{_QUOTED}"
)
PLAIN_ASSIGNMENT = re.compile(
    rf"^\s*(?:export\s+|-\s+|set\s+|ENV\s+)?(?P<name>{_NAME})\s*[:=]\s*(?P<value>[^\s\"'#{{<$][^\s#]*)\s*(?:#.*)?$"
)
HARMLESS_NAME = re.compile(
    r"(?i)(url|uri|header|headers|name|names|field|env|var|variable|path|file|filename|dir|type|prefix|suffix|id|endpoint|param"
    r"|params|label|column|arn|ref|limit|limits|count|ttl|expiry|expires|scope|scopes|policy|model|pattern|regex|length|size"
    r"|hash|algorithm|alg|method|format|provider|parser|input|hint|message|error|title|placeholder|description|count|usage"
    r"|tokens|tokenizer|index|role|mode|status|domain|host|issuer|audience|version|location|source|strategy|key_?name|class|colou?r|style|font|symbol|address|amount|price|balance|santa)$"
)
HARMLESS_START = re.compile(
    r"(?i)^(max|min|num|n|count|total|is|has|use|show|hide|forgot|reset|change|update|missing|invalid|no)_?"
    r"(?=.*(token|password|secret))"
)
PLACEHOLDER = re.compile(
    r"(?i)(^$|\$\{|\{\{|\{\w*\}|^<.*>$|^\[.*\]$|^%|^\$|your|change[-_ ]?me|example|placeholder|xxxx|\*\*\*|\.\.\.|…|redacted|dummy"
    r"|insert|replace|sample|fake|todo|fixme|^none$|^null$|^true$|^false$|^test[-_]?(key|token|secret|password)?$|not[-_ ]?set|^sk-test$"
    r"|^env:|environ|getenv|process\.env|vault:|secretsmanager|^ssm:|^/[\w/-]+$|^https?://[^@]*$|^(bearer|basic|token|apikey) ?$"
    r"|my[-_]?(api[-_]?key|secret|token|password)|_here$|-here$|^undefined$|^ollama$|^not-needed$|^(not|no)[-_]?(needed|required|used)"
    r"|^lm-studio$|^EMPTY$|^dummy|^unused$|^n/?a$)"
)
STRING = re.compile(r"(?P<quote>[\"'`])(?P<value>[A-Za-z0-9+/=_\-.~]{20,300})(?P=quote)")
CODE_WORD = re.compile(r"^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$|^[a-z]+([ -_][a-z]+)*$")
PLAIN_FILES = re.compile(
    r"(^|/)(\.env[\w.]*|[\w.-]*\.(env|ini|cfg|conf|properties|ya?ml|toml|tfvars)|Dockerfile|docker-compose.*|\.npmrc|\.pypirc)$"
)
IGNORED_FILES = re.compile(r"(^|/)(package-lock\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|uv\.lock|Pipfile\.lock)$")
SEVERITIES = ["critical", "high", "medium", "low"]


def entropy(text):
    """Shannon's, in bits a character."""
    counts = {}
    for character in text:
        counts[character] = counts.get(character, 0) + 1
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())


def find_secrets(path, text, found, values):
    """Adds what it finds to `found`, and the secrets themselves to `values`."""
    if IGNORED_FILES.search(path):
        return
    given = services_secrets(text)
    for number, line in enumerate(text.split("\n"), start=1):
        taken = []
        for kind, severity, value, place in given.get(number, []):
            if any(start < place[1] and place[0] < end for start, end in taken) or is_no_secret(kind, value):
                continue
            taken.append(place)
            add_secret(kind, severity, path, number, value, found, values)
        # Longer ones are data, or made by a program.
        if len(line) > 2000:
            continue
        for match in named_values(path, line) if SECRET_WORD.search(line) else []:
            if any(start < match.end("value") and match.start("value") < end for start, end in taken):
                continue
            kind = named_secret(match["name"], match["value"])
            if kind:
                taken.append(match.span("value"))
                severity = "high" if entropy(match["value"]) >= 3.5 or kind == "password" else "medium"
                add_secret(kind, severity, path, number, match["value"], found, values)
        for match in STRING.finditer(line):
            if any(start < match.end("value") and match.start("value") < end for start, end in taken):
                continue
            if is_random(match["value"]) and not describes_data(line[: match.start()]):
                add_secret("high_entropy_string", "medium", path, number, match["value"], found, values)


def services_secrets(text):
    """What has the form that a service gives its secrets, by line, in the order of the forms."""
    starts = [0] + [match.end() for match in re.finditer("\n", text)]
    given = {}
    for kind, severity, form in SECRET_FORMS:
        for match in form.finditer(text):
            number = bisect.bisect_right(starts, match.start(form.groups))
            place = tuple(offset - starts[number - 1] for offset in match.span(form.groups))
            given.setdefault(number, []).append((kind, severity, match[form.groups], place))
    return given


def add_secret(kind, severity, path, number, value, found, values):
    if len(value) >= 6:
        values.add(value)
    found.append(
        {"type": kind, "description": description_of(kind), "file": path, "line": number, "severity": severity}
    )


def description_of(kind):
    """What a secret of that kind is and what to do about it."""
    return f"{SECRET_DESCRIPTIONS.get(kind, kind.replace('_', ' ').capitalize())} in the source: {SECRET_ADVICE}"


def named_values(path, line):
    yield from ASSIGNMENT.finditer(line)
    if PLAIN_FILES.search(path):
        yield from PLAIN_ASSIGNMENT.finditer(line)


def is_no_secret(kind, value):
    if kind == "private_key":
        return False
    if kind == "password_in_url":
        return (
            bool(PLACEHOLDER.search(value))
            or value.lower() in ("password", "pass", "pwd", "secret", "user", "token")
            or value.isdigit()
            and len(value) <= 5
        )
    return (
        "EXAMPLE" in value.upper()
        or bool(re.search(r"(?i)x{6,}|0{8,}|your|\.\.\.|1234567890abcdef", value))
        or len(set(value[-16:])) <= 3
    )


def named_secret(name, value):
    """What kind of secret is assigned to such a name; nothing, when the value is none."""
    if HARMLESS_NAME.search(name) or HARMLESS_START.search(name) or PLACEHOLDER.search(value) or " " in value.strip():
        return None
    value = value.strip()
    lowered = re.sub(r"[^a-z]", "", value.lower())
    if lowered in re.sub(r"[^a-z]", "", name.lower()) or len(set(value)) <= 2:
        return None
    if re.search(r"(?i)passw|passphrase|pwd", name):
        # A word that means nothing else.
        return (
            "password"
            if len(value) >= 6 and not re.fullmatch(r"(?i)(string|required|optional|enter\w*|text|hidden)", value)
            else None
        )
    if len(value) < 8 or re.search(r"[\s(),;<>]", value):
        return None
    has_digit, is_mixed = re.search(r"\d", value), re.search(r"[a-z]", value) and re.search(r"[A-Z]", value)
    if CODE_WORD.match(value) and not has_digit and not (is_mixed and entropy(value) >= 4.0 and len(value) >= 20):
        # A name of something, such as an environment variable or a key of a dictionary.
        return None if not re.search(r"(?i)secret|password|hunter", value) or value.isupper() else "generic_secret"
    if re.fullmatch(r"[A-Z][A-Z0-9_]+", value):
        return None
    if re.fullmatch(r"[A-Za-z]+(-[A-Za-z0-9]+)+", value) and entropy(value) < 3.6:
        return None
    if has_digit or is_mixed or entropy(value) >= 3.0:
        return "generic_secret"
    return None


def is_random(value):
    """Whether no person wrote it: enough bits a character, of all kinds, in no order."""
    if entropy(value) < ENTROPY_MIN or PLACEHOLDER.search(value) or value.startswith(("sha256-", "sha384-", "sha512-")):
        return False
    if not (re.search(r"[a-z]", value) and re.search(r"[A-Z]", value) and re.search(r"\d", value)):
        return False
    steps = sum(1 for one, next_one in zip(value, value[1:]) if ord(next_one) - ord(one) == 1)
    # Alphabets and paths, names of classes, and models with their versions.
    if (
        steps > len(value) / 3
        or value.count("/") > 3
        or value.count(".") > 2
        or value.count("-") > 5
        or value.count("_") > 4
    ):
        return False
    # People change case at words; digits stand together.
    changes = sum(1 for one, next_one in zip(value, value[1:]) if kind_of(one) != kind_of(next_one))
    return changes >= len(value) * 0.3


def kind_of(character):
    return "d" if character.isdigit() else "u" if character.isupper() else "l" if character.islower() else "o"


def describes_data(before):
    """What stands before a string when it is a checksum, a picture, or text that is encoded for another reason."""
    return bool(
        re.search(
            r"(?i)(sha\d*|md5|hash|digest|checksum|integrity|base64,|b64decode\(|alphabet|charset|chars|etag|commit"
            r"|fingerprint|nonce_?sample|public_?key|ssh-rsa|icon|image|svg|png|font|cursor)\W{0,12}$",
            before[-60:],
        )
    )


# What the analyzer says in words of its own, and paths: a short password may be a part of these by chance.
OWN_WORDS = {"file", "entry_point", "kind", "scheme", "framework", "adapter", "tier", "tier_reason", "role", "provider"}
CHANCE_MAX = 16


def masked(value, secrets, name=""):
    """The answer with every secret that was found replaced."""
    if isinstance(value, str):
        for secret in secrets:
            if name not in OWN_WORDS or len(secret) > CHANCE_MAX:
                value = value.replace(secret, "***")
        return value
    if isinstance(value, list):
        return [masked(each, secrets, name) for each in value]
    if isinstance(value, dict):
        return {key: masked(each, secrets, key) for key, each in value.items()}
    return value
