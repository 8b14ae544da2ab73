"""Strings in Python sources, as far as their text alone says."""


@remembered
def text_parts(node, scope, depth=0):
    """A string as its parts: text, environment variables, and `UNKNOWN` for what only a run would tell."""
    if node is None or depth > DEPTH_MAX:
        return [UNKNOWN]
    if isinstance(node, ast.Constant):
        return (
            [node.value] if isinstance(node.value, str) else [str(node.value)] if node.value is not None else [UNKNOWN]
        )
    if isinstance(node, ast.JoinedStr):
        return [part for value in node.values for part in text_parts(value, scope, depth + 1)]
    if isinstance(node, ast.FormattedValue):
        return text_parts(node.value, scope, depth + 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_parts(node.left, scope, depth + 1) + text_parts(node.right, scope, depth + 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        filled = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        return fill(
            text_parts(node.left, scope, depth + 1), r"%[sdr]", [text_parts(each, scope, depth + 1) for each in filled]
        )
    if isinstance(node, ast.BoolOp):
        options = [text_parts(value, scope, depth + 1) for value in node.values]
        if (
            len(options) > 1
            and len(options[0]) == 1
            and isinstance(options[0][0], Env)
            and not hasattr(options[0][0], "default")
        ):
            return [with_default(options[0][0], plain(options[1]))]
        return next((each for each in options if each != [UNKNOWN]), [UNKNOWN])
    if isinstance(node, ast.IfExp):
        return next(
            (
                parts
                for parts in (text_parts(each, scope, depth + 1) for each in (node.body, node.orelse))
                if parts != [UNKNOWN]
            ),
            [UNKNOWN],
        )
    if isinstance(node, (ast.NamedExpr, ast.Await)):
        return text_parts(node.value, scope, depth + 1)
    if isinstance(node, ast.Subscript):
        return subscript_parts(node, scope, depth)
    if isinstance(node, ast.Call):
        return call_parts(node, scope, depth)
    if isinstance(node, ast.Attribute) and node.attr == "__name__":
        function = local_function(node.value, scope)
        return [function[0].name] if function else [UNKNOWN]
    if isinstance(node, (ast.Name, ast.Attribute)):
        for value, where in lookup(node, scope, depth):
            parts = text_parts(value, where, depth + 1)
            if parts != [UNKNOWN]:
                return parts
    return [UNKNOWN]


def text_options(node, scope):
    """All that a name may stand for, when it is bound more than once."""
    options = []
    if isinstance(node, ast.Name):
        for value, where in lookup(node, scope):
            parts = text_parts(value, where)
            if parts != [UNKNOWN] and parts not in options and len(options) < OPTIONS_MAX:
                options.append(parts)
    return options or [text_parts(node, scope)]


def subscript_parts(node, scope, depth):
    key = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if isinstance(key, str):
        if dotted(node.value, scope) in ("os.environ", "environ"):
            return [Env(key)]
        for value, where in dicts_of(node.value, scope, depth + 1):
            member = member_of(value, key)
            if member is not None:
                return text_parts(member, where, depth + 1)
    return [UNKNOWN]


def call_parts(node, scope, depth):
    name = dotted(node.func, scope) or ""
    first = node.args[0] if node.args else None
    if (
        name in ENVIRONMENT_CALLS
        or name.split(".")[-1] in ("getenv", "require_env", "get_env", "env")
        and first is not None
    ):
        key = plain(text_parts(first, scope, depth + 1))
        if key is None:
            return [UNKNOWN]
        default = node.args[1] if len(node.args) > 1 else keyword(node, "default")
        return [with_default(Env(key), plain(text_parts(default, scope, depth + 1)) if default is not None else None)]
    if name.split(".")[-1] == "urljoin" and len(node.args) == 2:
        base, path = (text_parts(each, scope, depth + 1) for each in node.args)
        if path and path[0].startswith(("http://", "https://")):
            return path
        return base + ["/" if not (path and path[0].startswith("/")) else ""] + path
    if name in ("str", "httpx.URL", "yarl.URL", "URL", "SecretStr", "pydantic.SecretStr") and first is not None:
        return text_parts(first, scope, depth + 1)
    if name.split(".")[-1] in ("Field", "field"):
        return text_parts(keyword(node, "default") or first, scope, depth + 1)
    if isinstance(node.func, ast.Attribute):
        base = text_parts(node.func.value, scope, depth + 1)
        if node.func.attr in (
            "rstrip",
            "strip",
            "removesuffix",
            "lstrip",
            "lower",
            "encode",
            "decode",
            "strip_trailing",
        ):
            if base and not isinstance(base[-1], Env) and node.func.attr == "rstrip":
                base = base[:-1] + [base[-1].rstrip("/")]
            return base
        if node.func.attr == "format" and base != [UNKNOWN]:
            given = {each.arg: text_parts(each.value, scope, depth + 1) for each in node.keywords if each.arg}
            numbered = [text_parts(each, scope, depth + 1) for each in node.args]
            return fill(base, r"\{(\w*)[^}]*\}", numbered, given)
        if node.func.attr == "join" and isinstance(first, (ast.List, ast.Tuple)) and plain(base) is not None:
            parts = []
            for index, each in enumerate(first.elts):
                parts += ([plain(base)] if index else []) + text_parts(each, scope, depth + 1)
            return parts or [UNKNOWN]
        if node.func.attr == "get" and isinstance(first, ast.Constant):
            for value, where in dicts_of(node.func.value, scope, depth + 1):
                member = member_of(value, first.value)
                if member is not None:
                    return text_parts(member, where, depth + 1)
    function = local_function(node.func, scope)
    if function:
        for value in returned(function[0]):
            parts = text_parts(value, function[1], depth + 1)
            if parts != [UNKNOWN]:
                return parts
    return [UNKNOWN]


def fill(parts, form, values, named=None):
    filled, index = [], 0
    for part in parts:
        if isinstance(part, Env) or part == UNKNOWN:
            filled.append(part)
            continue
        end = 0
        for match in re.finditer(form, part):
            filled.append(part[end : match.start()])
            name = match[1] if match.re.groups else ""
            if name and named and name in named:
                filled += named[name]
            elif (name or str(index)).isdigit() and int(name or index) < len(values):
                filled += values[int(name or index)]
                index += 1
            else:
                filled.append(UNKNOWN)
            end = match.end()
        filled.append(part[end:])
    return [part for part in filled if part]


def with_default(variable, default):
    if default:
        variable = Env(variable)
        variable.default = default
    return variable


def plain(parts):
    """The whole text, with defaults for environment variables; nothing when a part of it is not known."""
    texts = [getattr(part, "default", UNKNOWN) if isinstance(part, Env) else part for part in parts]
    return None if any(UNKNOWN in text for text in texts) else "".join(texts)


def shown(parts):
    """The text with `UNKNOWN` where only a run would tell."""
    return "".join(getattr(part, "default", UNKNOWN) if isinstance(part, Env) else part for part in parts)


def variable_of(parts):
    """The environment variable that a text begins with."""
    return str(parts[0]) if parts and isinstance(parts[0], Env) else None


def text_of(node, scope):
    return plain(text_parts(node, scope)) if node is not None else None


def keyword(call, *names):
    return next((each.value for name in names for each in call.keywords if each.arg == name), None)


def member_of(node, key):
    return next(
        (value for name, value in zip(node.keys, node.values) if isinstance(name, ast.Constant) and name.value == key),
        None,
    )


def dicts_of(node, scope, depth=0):
    """The dictionaries written out that an expression may be, each with its scope."""
    if depth > DEPTH_MAX or node is None:
        return
    if isinstance(node, ast.Dict):
        yield node, scope
    elif isinstance(node, ast.Call) and dotted(node.func, scope) == "dict":
        yield (
            ast.Dict(
                keys=[ast.Constant(each.arg) for each in node.keywords if each.arg],
                values=[each.value for each in node.keywords if each.arg],
            ),
            scope,
        )
    elif isinstance(node, ast.Call) and dotted(node.func, scope) == "json.dumps" and node.args:
        yield from dicts_of(node.args[0], scope, depth + 1)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "encode":
        yield from dicts_of(node.func.value, scope, depth + 1)
    elif isinstance(node, (ast.Name, ast.Attribute)):
        for value, where in lookup(node, scope, depth):
            yield from dicts_of(value, where, depth + 1)
