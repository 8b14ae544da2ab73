"""Python modules as far as their text alone says: what names stand for, without running anything."""

UNKNOWN = "\0"
DEPTH_MAX = 12
OPTIONS_MAX = 20
ENVIRONMENT_CALLS = {
    "os.getenv",
    "os.environ.get",
    "os.environ.setdefault",
    "os.environ.pop",
    "environ.get",
    "getenv",
    "decouple.config",
    "environs.Env",
    "starlette.config.Config",
}


MEMORY = {}


def remembered(function):
    """The same question is asked of the same expression again and again."""

    def asked(node, scope, depth=0):
        key = (function.__name__, id(node), id(scope))
        if key in MEMORY:
            return MEMORY[key][0]
        answer = function(node, scope, depth)
        # What is asked deep down may be cut short there.
        if depth <= DEPTH_MAX // 3:
            MEMORY[key] = (answer, node, scope)
        return answer

    return asked


class Env(str):
    """The name of an environment variable, in the place of its value."""


class Scope:
    """A module, class or function, and what its names are bound to."""

    def __init__(self, name, parent, module, is_class=False):
        self.name, self.parent, self.module, self.is_class = name, parent, module, is_class
        self.bindings, self.imports, self.functions, self.classes, self.types = {}, {}, {}, {}, {}

    def chain(self):
        scope = self
        while scope is not None:
            yield scope
            scope = scope.parent

    @property
    def owner(self):
        """The class around it."""
        return next((scope for scope in self.chain() if scope.is_class), None)

    def bind(self, name, value):
        self.bindings.setdefault(name, []).append(value)


class Module:
    """One file: its scopes, and what in it may be of interest, each with the scope it stands in."""

    def __init__(self, path, tree, project):
        self.path, self.tree, self.project = path, tree, project
        self.scope = Scope("", None, self)
        self.calls, self.dicts, self.functions, self.classes, self.imported = [], [], [], [], []
        # Of these, the imports whose failure nothing catches.
        self.needed = []
        self.has_main = False
        self._collect()

    @property
    def package(self):
        names = module_names(self.path)
        return names[0] if names else ""

    def _collect(self):
        stack = [(self.tree, self.scope, None)]
        while stack:
            node, scope, guard = stack.pop()
            inner, inside = scope, guard
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                inner = self._function(node, scope)
            elif isinstance(node, ast.ClassDef):
                inner = Scope(node.name, scope, self, is_class=True)
                scope.classes[node.name] = inner
                self.classes.append((node, scope, inner))
            elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                inside = "types"
            elif isinstance(node, ast.If) and scope is self.scope and "'__main__'" in ast.dump(node.test):
                self.has_main = True
            self._note(node, scope, inner, inside)
            optional = {id(each) for each in node.body} if forgives_imports(node) and inside is None else ()
            # In the order of the text: later bindings come later.
            stack.extend(
                (child, inner, "optional" if id(child) in optional else inside)
                for child in reversed(list(ast.iter_child_nodes(node)))
            )

    def _function(self, node, scope):
        inner = Scope(getattr(node, "name", "<lambda>"), scope, self)
        arguments = node.args
        if not isinstance(node, ast.Lambda):
            scope.functions[node.name] = (node, inner)
            self.functions.append((node, scope, inner))
        positional = arguments.posonlyargs + arguments.args
        for argument, default in list(zip(reversed(positional), reversed(arguments.defaults))) + [
            pair for pair in zip(arguments.kwonlyargs, arguments.kw_defaults) if pair[1] is not None
        ]:
            inner.bind(argument.arg, default)
        for argument in positional + arguments.kwonlyargs:
            if argument.annotation is not None:
                inner.types[argument.arg] = argument.annotation
        return inner

    def _note(self, node, scope, inner, guard):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    scope.imports[alias.asname] = alias.name
                else:
                    scope.imports[alias.name.partition(".")[0]] = alias.name.partition(".")[0]
                if guard != "types":
                    self.imported.append(alias.name)
                if guard is None:
                    self.needed.append(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = self.package.split(".")
                keep = len(parts) - node.level + (1 if self.path.endswith("__init__.py") else 0)
                base = ".".join([*parts[: max(0, keep)], *([base] if base else [])])
            elif guard != "types":
                names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
                self.imported.extend(names)
                if guard is None:
                    self.needed.extend(names)
            for alias in node.names:
                scope.imports[alias.asname or alias.name] = f"{base}.{alias.name}" if base else alias.name
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value, scope)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                self._bind(node.target, node.value, scope)
            elif isinstance(node.target, ast.Name):
                scope.types[node.target.id] = node.annotation
        elif isinstance(node, ast.NamedExpr):
            self._bind(node.target, node.value, scope)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                if item.optional_vars is not None:
                    self._bind(item.optional_vars, item.context_expr, scope)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._bind_each(node.target, node.iter, scope)
        elif isinstance(node, ast.comprehension):
            self._bind_each(node.target, node.iter, scope)
        elif isinstance(node, ast.Call):
            self.calls.append((node, scope))
        elif isinstance(node, ast.Dict):
            self.dicts.append((node, scope))

    def _bind_each(self, target, values, scope):
        if isinstance(target, ast.Name):
            for value, _ in elements(values, scope):
                scope.bind(target.id, value)

    def _bind(self, target, value, scope):
        if isinstance(target, ast.Name):
            scope.bind(target.id, value)
        elif (
            isinstance(target, ast.Attribute)
            and isinstance(target.value, ast.Name)
            and target.value.id in ("self", "cls")
        ):
            (scope.owner or scope).bind(target.attr, value)
            # Looked up from the class, while its names are those of the method.
            value.bound_in = scope
        elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
            for each, part in zip(target.elts, value.elts):
                self._bind(each, part, scope)


def forgives_imports(node):
    """True for a `try` that goes on when an import in it fails."""
    return isinstance(node, ast.Try) and any(
        each.type is None or re.search(r"'(ImportError|ModuleNotFoundError|Exception)'", ast.dump(each.type))
        for each in node.handlers
    )


def module_names(path):
    """What a file may be imported as, the longest name first."""
    parts = path[:-3].split("/")
    if parts[-1] == "__init__":
        parts = parts[:-1]
    return [".".join(parts[start:]) for start in range(len(parts))] if parts else []


def elements(node, scope, depth=0):
    """The members of lists that are written out."""
    if depth > DEPTH_MAX:
        return
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        for each in node.elts:
            yield each, scope
    elif isinstance(node, ast.BinOp):
        yield from elements(node.left, scope, depth + 1)
        yield from elements(node.right, scope, depth + 1)
    elif isinstance(node, (ast.Name, ast.Attribute)):
        for value, where in lookup(node, scope, depth):
            yield from elements(value, where, depth + 1)
            return


class Project:
    """All Python files together."""

    def __init__(self):
        self.modules, self.by_name = [], {}

    def bind_arguments(self):
        """What the project's own functions are called with is what their parameters may be."""
        bound = []
        for module in self.modules:
            for call, scope in module.calls:
                function = local_function(call.func, scope)
                if not function:
                    continue
                names = [each.arg for each in function[0].args.posonlyargs + function[0].args.args]
                names = names[1:] if names[:1] in (["self"], ["cls"]) else names
                given = list(zip(names, call.args)) + [(each.arg, each.value) for each in call.keywords if each.arg]
                bound += [
                    (function[1], name, value, scope) for name, value in given if not isinstance(value, ast.Starred)
                ]
        MEMORY.clear()
        for inner, name, value, scope in bound:
            if len(inner.bindings.get(name, [])) < OPTIONS_MAX and not (isinstance(value, ast.Name) and scope is inner):
                if not hasattr(value, "bound_in"):
                    value.bound_in = scope
                inner.bind(name, value)

    def add(self, module):
        self.modules.append(module)
        for name in reversed(module_names(module.path)):
            self.by_name.setdefault(name, module)

    def find(self, qualified):
        """The module that defines a qualified name, and the name in it."""
        head, _, name = qualified.rpartition(".")
        module = self.by_name.get(head)
        return (module, name) if module and name else (None, name)
