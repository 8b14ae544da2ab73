"""Changes modules as they are imported, so that an agent without them starts no slower."""

import importlib.machinery
import sys


class ImportHook:
    """Finds modules as Python does, and runs a function on each named one after its import."""

    def __init__(self, changes):
        self._changes = dict(changes)

    def install(self):
        for name in [name for name in self._changes if name in sys.modules]:
            self._changes.pop(name)(sys.modules[name])
        sys.meta_path.insert(0, self)

    def find_spec(self, name, path=None, target=None):
        if name not in self._changes:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or not hasattr(spec.loader, "exec_module"):
            return None
        execute = spec.loader.exec_module

        def execute_and_change(module):
            execute(module)
            change = self._changes.pop(name, None)
            if change is not None:
                change(module)

        spec.loader.exec_module = execute_and_change
        return spec


class EndableImport:
    """Finds the named module, whose lines may be ended by an exception: what they have defined until then counts."""

    def __init__(self, name, exception):
        self.name = name
        self.exception = exception
        self.error = None

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or not hasattr(spec.loader, "exec_module"):
            return None
        execute = spec.loader.exec_module

        def execute_endable(module):
            try:
                execute(module)
            except self.exception as error:
                self.error = error

        spec.loader.exec_module = execute_endable
        return spec

    def __enter__(self):
        sys.meta_path.insert(0, self)
        return self

    def __exit__(self, *error):
        sys.meta_path.remove(self)
