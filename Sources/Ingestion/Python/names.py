"""What names in Python sources stand for."""


def dotted(node, scope):
    """The qualified name of what an expression names, as far as imports say; nothing when it is no name."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    head = next((each.imports[node.id] for each in scope.chain() if node.id in each.imports), node.id)
    return ".".join([head, *reversed(parts)])


def is_local(name, scope):
    return any(name in each.bindings or name in each.functions or name in each.classes for each in scope.chain())


def lookup(node, scope, depth=0):
    """The expressions that a name or attribute may stand for, the last one first, each with its scope."""
    if depth > DEPTH_MAX:
        return
    if isinstance(node, ast.Name):
        for each in scope.chain():
            if each.is_class and each is not scope:
                continue
            if node.id in each.bindings:
                for value in reversed(each.bindings[node.id]):
                    yield value, getattr(value, "bound_in", each)
                return
            if node.id in each.imports:
                yield from exported(each.imports[node.id], scope, depth)
                return
    elif isinstance(node, ast.Attribute):
        owner = None
        if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            owner = scope.owner
        else:
            owner = class_of(node.value, scope, depth + 1)
        if owner is not None:
            for value in reversed(owner.bindings.get(node.attr, [])):
                yield value, getattr(value, "bound_in", owner)
            return
        name = dotted(node, scope)
        if name:
            yield from exported(name, scope, depth)


def exported(qualified, scope, depth):
    """What another file of the project binds a name to."""
    module, name = scope.module.project.find(qualified)
    if module and name in module.scope.bindings:
        for value in reversed(module.scope.bindings[name]):
            yield value, module.scope
    elif module and name in module.scope.imports and depth < DEPTH_MAX:
        yield from exported(module.scope.imports[name], module.scope, depth + 1)


def class_of(node, scope, depth=0):
    """The scope of the project's own class that an expression is, or is an instance of."""
    if depth > DEPTH_MAX:
        return None
    if isinstance(node, ast.Call):
        return class_of(node.func, scope, depth + 1)
    if not isinstance(node, (ast.Name, ast.Attribute)):
        return None
    if isinstance(node, ast.Name):
        for each in scope.chain():
            if node.id in each.classes:
                return each.classes[node.id]
    name = dotted(node, scope)
    module, last = scope.module.project.find(name) if name else (None, "")
    if module and last in module.scope.classes:
        return module.scope.classes[last]
    for value, where in lookup(node, scope, depth + 1):
        if isinstance(value, ast.Call) and value is not node:
            return class_of(value.func, where, depth + 1)
    return None


def local_function(node, scope):
    """The project's own function that a call names."""
    if isinstance(node, ast.Name):
        for each in scope.chain():
            if node.id in each.functions:
                return each.functions[node.id]
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self" and scope.owner:
        return scope.owner.functions.get(node.attr)
    name = dotted(node, scope)
    module, last = scope.module.project.find(name) if name else (None, "")
    return module.scope.functions.get(last) if module else None


def returned(function):
    """What a function gives back: the expressions of its return statements."""
    if hasattr(function, "returned"):
        return function.returned
    stack, found = list(reversed(function.body)), []
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Return) and node.value is not None:
            found.append(node.value)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            stack.extend(reversed(list(ast.iter_child_nodes(node))))
    function.returned = found
    return found


@remembered
def callee(node, scope, depth=0):
    """What is called: its qualified name, or the qualified name of what made the object and the attributes after it.

    `client.chat.completions.create` with `client = OpenAI()` is `openai.OpenAI`, `chat.completions.create`.
    """
    attributes = []
    while isinstance(node, ast.Attribute):
        attributes.insert(0, node.attr)
        node = node.value
        made = origin(node, scope, depth)
        if made:
            return made[0], ".".join(attributes), made[1], made[2]
    if isinstance(node, ast.Name):
        name = ".".join(
            [next((each.imports[node.id] for each in scope.chain() if node.id in each.imports), node.id), *attributes]
        )
        return name, "", None, scope
    return None, ".".join(attributes), None, scope


@remembered
def origin(node, scope, depth=0):
    """The call that made an object: its qualified name, itself, and where it stands."""
    if depth > DEPTH_MAX:
        return None
    if isinstance(node, ast.Await):
        return origin(node.value, scope, depth + 1)
    if isinstance(node, ast.Call):
        name = dotted(node.func, scope)
        function = local_function(node.func, scope)
        if function:
            for value in returned(function[0]):
                made = origin(value, function[1], depth + 1)
                if made:
                    return made
            return None
        if name and name.split(".")[-1] in (
            "with_options",
            "wrap_openai",
            "patch",
            "from_openai",
            "from_anthropic",
            "instrument",
        ):
            inner = node.args[0] if node.args else getattr(node.func, "value", None)
            return origin(inner, scope, depth + 1) if inner is not None else None
        if isinstance(node.func, ast.Attribute) and node.func.attr in (
            "with_options",
            "copy",
            "__aenter__",
            "__enter__",
        ):
            return origin(node.func.value, scope, depth + 1)
        return (name, node, scope) if name else None
    if isinstance(node, ast.BoolOp):
        return next((made for made in (origin(each, scope, depth + 1) for each in node.values) if made), None)
    if isinstance(node, (ast.Name, ast.Attribute)):
        for value, where in lookup(node, scope, depth):
            made = origin(value, where, depth + 1)
            if made:
                return made
        if isinstance(node, ast.Name):
            for each in scope.chain():
                if node.id in each.types:
                    annotation = each.types[node.id]
                    name = dotted(annotation, each)
                    return (name, None, each) if name else None
    return None
