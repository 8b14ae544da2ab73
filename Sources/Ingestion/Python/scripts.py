"""JavaScript and TypeScript, by patterns: comments are blanked, constants followed, nothing is parsed whole."""

SCRIPT_FILES = re.compile(r"\.(js|mjs|cjs|jsx|ts|mts|cts|tsx)$")
_STRING = r"(?:\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)"
_REFERENCE = r"(?:[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)*)"
_ENV = r"(?:process\.env|import\.meta\.env)\[[\"'][\w]+[\"']\]!?"
_VALUE = rf"(?:{_STRING}|{_ENV}|{_REFERENCE}!?)(?:\s*(?:\?\?|\|\|)\s*{_STRING})?(?:\s*\+\s*(?:{_STRING}|{_REFERENCE}))*"
CONSTANT = re.compile(
    rf"(?:\b(?:const|let|var|readonly|static|private|public)\s+)+([A-Za-z_$][\w$]*)\s*(?::\s*[\w<>\[\]| ]+)?=\s*({_VALUE})"
)
MEMBER = re.compile(
    rf"(?<![\w$.])([A-Za-z_$][\w$]*)\s*:\s*({_STRING}(?:\s*\+\s*(?:{_STRING}|{_REFERENCE}))*|process\.env\.\w+(?:\s*(?:\?\?|\|\|)\s*{_STRING})?)"
)
ENVIRONMENT = re.compile(
    r"(?:process\.env|import\.meta\.env|Deno\.env|Bun\.env|env)(?:\.([A-Z][A-Z0-9_]*)|\[[\"'](\w+)[\"']\]|\.get\([\"'](\w+)[\"']\))(?:!)?"
)
IMPORT = re.compile(r"(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)[\"']([^\"'\n]+)[\"']")
NAMED_IMPORT = re.compile(
    r"\bimport\s+(?:type\s+)?([^\"';]*?)\s*from\s*[\"']([^\"'\n]+)[\"']|(?:const|let|var)\s+([^=;]+?)\s*=\s*require\(\s*[\"']([^\"'\n]+)[\"']\s*\)"
)
HTTP_CALL = re.compile(
    rf"(?<![\w$.])(?:await\s+)?(fetch|axios|got|ky|superagent|needle|request|ofetch|\$fetch|undici\.request|(?:axios|got|ky|superagent|needle|http|https|api|client|http[A-Z]\w*|\w*[cC]lient|\w*[aA]pi|\w*Http|this\.(?:http|client|api|\w*[cC]lient)|instance|session)\.(?:get|post|put|patch|delete|head|request|extend))(?:<[^()]*?>)?\(\s*({_VALUE})"
)
BASE_URL = re.compile(
    rf"(?<![\w$])(?:([A-Za-z_$][\w$]*)\s*=\s*(?:await\s+)?)?(axios\.create|got\.extend|ky\.(?:create|extend)|ofetch\.create)\(\s*\{{[^}}]{{0,600}}?(?:baseURL|prefixUrl)\s*:\s*({_VALUE})",
    re.S,
)
WEB_SOCKET = re.compile(
    rf"new\s+(?:WebSocket|EventSource|SSEClientTransport|StreamableHTTPClientTransport)\(\s*(?:new\s+URL\(\s*)?({_VALUE})"
)
OBJECT_URL = re.compile(
    rf"new\s+([A-Z]\w*)\(\s*\{{[^}}]{{0,600}}?(?:baseURL|baseUrl|endpoint|host|url|connectionString)\s*:\s*({_VALUE})",
    re.S,
)
MODEL_NAME = r"(?:model|modelName|modelId|model_id|azureOpenAIApiDeploymentName|deploymentName)"
SCRIPT_CLIENTS = {
    "openai": "openai",
    "@anthropic-ai/sdk": "anthropic",
    "ollama": "ollama",
    "groq-sdk": "groq",
    "cohere-ai": "cohere",
    "@mistralai/mistralai": "mistral",
    "@google/genai": "google",
    "@google/generative-ai": "google",
    "@anthropic-ai/bedrock-sdk": "bedrock",
}
SCRIPT_CALLS = re.compile(
    r"([A-Za-z_$][\w$]*(?:\.[\w$]+)*?)\.(chat\.completions\.(?:create|parse|stream)|responses\.(?:create|parse|stream)|completions\.create|embeddings\.create|moderations\.create"
    r"|messages\.(?:create|stream)|models\.generateContent(?:Stream)?|getGenerativeModel|chat\.complete|chat|generate|embed|embeddings|rerank)\(\s*\{"
)
VERCEL_PROVIDERS = {
    "@ai-sdk/openai": ("openai", "openai"),
    "@ai-sdk/anthropic": ("anthropic", "anthropic"),
    "@ai-sdk/google": ("google", "google"),
    "@ai-sdk/amazon-bedrock": ("bedrock", "bedrock"),
    "@ai-sdk/mistral": ("mistral", "mistral"),
    "@ai-sdk/groq": ("groq", "groq"),
    "@ai-sdk/azure": ("azure", "azure-openai"),
    "ollama-ai-provider": ("ollama", "ollama"),
    "@ai-sdk/cohere": ("cohere", "cohere"),
}
SCRIPT_SERVICES = {
    "stripe": ("stripe", "https://api.stripe.com", r"new\s+Stripe\("),
    "@slack/web-api": ("slack", "https://slack.com", r"new\s+WebClient\("),
    "@octokit/rest": ("github", "https://api.github.com", r"new\s+Octokit\("),
    "octokit": ("github", "https://api.github.com", r"new\s+Octokit\("),
    "twilio": ("twilio", "https://api.twilio.com", r"\btwilio\("),
    "@sendgrid/mail": ("sendgrid", "https://api.sendgrid.com", r"\.send\("),
    "@notionhq/client": ("notion", "https://api.notion.com", r"new\s+Client\("),
    "@tavily/core": ("tavily", "https://api.tavily.com", r"\btavily\("),
    "resend": ("resend", "https://api.resend.com", r"new\s+Resend\("),
}
SCRIPT_FRAMEWORKS = [
    ("langgraph", "@langchain/langgraph"),
    ("openai-agents", "@openai/agents"),
    ("langchain", "langchain"),
    ("langchain", "@langchain/"),
    ("llama-index", "llamaindex"),
    ("mastra", "@mastra/"),
    ("vercel-ai", "ai"),
    ("vercel-ai", "@ai-sdk/"),
]


def without_comments(text):
    """Comments blanked, lines kept; what is in strings stays. Beside it where strings begin and end."""
    out, strings, at, size, length = [], [], 0, len(text), 0
    while at < size:
        two = text[at : at + 2]
        if two == "//":
            end = text.find("\n", at)
            at = size if end < 0 else end
        elif two == "/*":
            end = text.find("*/", at + 2)
            end = size if end < 0 else end + 2
            out.append("\n" * text.count("\n", at, end))
            length += len(out[-1])
            at = end
        elif text[at] in "\"'`":
            end = at + 1
            while end < size and text[end] != text[at] and (text[at] == "`" or text[end] != "\n"):
                end += 2 if text[end] == "\\" else 1
            out.append(text[at : end + 1])
            strings.append((length, length + len(out[-1])))
            length += len(out[-1])
            at = end + 1
        else:
            out.append(text[at])
            length += 1
            at += 1
    return "".join(out), strings


class Script:
    def __init__(self, path, text):
        self.path = path
        self.text, self.strings = without_comments(text)
        self.imports = IMPORT.findall(self.text)
        self.names = {}
        for one, module, other, required in NAMED_IMPORT.findall(self.text):
            for name in re.findall(r"(?:(\w+)\s+as\s+|(\w+)\s*:\s*)?([A-Za-z_$][\w$]*)", one or other):
                self.names[name[2]] = (module or required, name[0] or name[1] or name[2])
        self.constants = {}
        for name, value in CONSTANT.findall(self.text):
            self.constants.setdefault(name, value)
        for name, value in MEMBER.findall(self.text):
            self.constants.setdefault("." + name, value)

    def find(self, form):
        """Matches in code: what is in a string is no code."""
        form = re.compile(form) if isinstance(form, str) else form
        at = 0
        for match in form.finditer(self.text):
            while at < len(self.strings) and self.strings[at][1] <= match.start():
                at += 1
            if at == len(self.strings) or match.start() <= self.strings[at][0]:
                yield match

    def line(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def parts(self, value, depth=0):
        """As those of Python's strings."""
        value = value.strip()
        if depth > DEPTH_MAX or not value:
            return [UNKNOWN]
        first = re.match(_STRING, value) or re.match(_REFERENCE, value)
        environment = ENVIRONMENT.match(value)
        if environment:
            variable = Env(next(each for each in environment.groups() if each))
            rest = value[environment.end() :].strip()
            default = re.match(rf"(?:\?\?|\|\|)\s*({_STRING})", rest)
            if default:
                variable = with_default(variable, plain(self.parts(default[1], depth + 1)))
                rest = rest[default.end() :].strip()
            return [variable] + (self.parts(rest[1:], depth + 1) if rest.startswith("+") else [])
        if not first:
            return [UNKNOWN]
        token, rest = first[0], value[first.end() :].strip()
        if token[0] in "\"'":
            parts = [re.sub(r"\\(.)", r"\1", token[1:-1])]
        elif token[0] == "`":
            parts, end = [], 1
            for match in re.finditer(r"\$\{([^{}]*)\}", token):
                parts += [token[end : match.start()]] + self.parts(match[1], depth + 1)
                end = match.end()
            parts = [part for part in parts + [token[end:-1]] if part]
        else:
            last = token.split(".")[-1]
            bound = (
                self.constants.get(token)
                or ("." in token and self.constants.get("." + last))
                or (token == "this." + last and self.constants.get(last))
                or None
            )
            parts = self.parts(bound, depth + 1) if bound and bound.strip() != token else [UNKNOWN]
        default = re.match(rf"(?:\?\?|\|\|)\s*({_STRING})", rest)
        if default:
            parts = parts if parts != [UNKNOWN] else self.parts(default[1], depth + 1)
            rest = rest[default.end() :].strip()
        return parts + (self.parts(rest[1:], depth + 1) if rest.startswith("+") else [])
