"""What an agent is made with, and what it takes to run it."""


def framework_of(files, project, scripts):
    imported = {name for module in project.modules for name in module.imported}
    own = own_modules(files)
    for framework, names in FRAMEWORKS:
        if any(
            name == known or name.startswith(known + ".")
            for name in imported
            for known in names
            if known.split(".")[0] not in own
        ):
            return framework
    for framework, known in SCRIPT_FRAMEWORKS:
        if any(
            name == known or name.startswith(known if known.endswith("/") else known + "/")
            for script in scripts
            for name in script.imports
        ):
            return framework
    return "plain"


def tier_of(entry_point, project, scripts, framework, errors):
    """`native` runs as it is, `wrap` after a small change, `image` not by the Python runtime."""
    modules = {module.path: module for module in project.modules}
    if not modules:
        return (
            ("image", "there is no Python in it: deploy it as an image that answers POST /invoke")
            if scripts
            else ("image", "there is no source in it that can be read: deploy it as an image that answers POST /invoke")
        )
    if any(error["file"] == entry_point for error in errors):
        return "wrap", f"{entry_point} cannot be read: see errors"
    if not entry_point:
        return "wrap", "nothing says where it begins: name an entry_point that defines handler(request, context)"
    if entry_point in modules and defines_callable(modules[entry_point]):
        return "native", f"{entry_point} defines what the runtime calls"
    return "wrap", f"{entry_point} defines nothing that the runtime calls, such as handler(request, context)"
