"""A model that finds its way through any example: it reads the balance, pays, and answers in the form it is asked for."""

import itertools
import json
import threading

from scripted_provider import Answer

OUTPUT_TOOLS = ("final_", "ResponseFormat", "submit")
CODE = """Thoughts.
<code>
seen = balance()
print(seen)
final_answer("done: " + pay(7, "in words {number}"))
</code>"""


class Assistant:
    """Words its answers differently at each call, so that a repeated question does not go unnoticed."""

    def __init__(self):
        self.number = itertools.count(1)
        self.lock = threading.Lock()
        self.asked = 0

    def __call__(self, body):
        with self.lock:
            self.asked += 1
            number = next(self.number)
        seen = json.dumps([body.get("system"), body["messages"]])
        if "<code>" in seen:
            return Answer(CODE.replace("{number}", str(number)))
        if "[[ ## " in seen:
            return Answer(fields(seen, number))
        tools = dict(map(tool_of, body.get("tools") or []))
        name = self.choice(tools, seen)
        if name:
            words = ("done, " if name.startswith(OUTPUT_TOOLS) else "") + f"in words {number}"
            return Answer(calls=[(f"call-{number}", name, filled(tools[name], words))])
        form = (body.get("response_format") or {}).get("json_schema")
        return Answer(json.dumps(filled(form["schema"], f"done, in words {number}")) if form else f"done, in words {number}")

    def choice(self, tools, seen):
        """The next tool to call: the bank's, then another agent, then the one that takes the answer."""
        if "balance" in tools and "plenty" not in seen:
            return "balance"
        others = [name for name in tools if name not in ("balance", "pay") and not name.startswith(OUTPUT_TOOLS)]
        if not any(end in seen for end in ("receipt", "403", "done, ")):
            if "pay" in tools:
                return "pay"
            if others:
                return next((name for name in others if "cashier" in name or "pay" in name.lower()), others[0])
        return next((name for name in tools if name.startswith(OUTPUT_TOOLS)), None)


def tool_of(tool):
    function = tool.get("function", tool)
    return function["name"], function.get("parameters") or function.get("input_schema") or {}


def fields(seen, number):
    """The next step, or the answer, in DSPy's form."""
    values = {"reasoning": "thought", "answer": f"done, in words {number}"}
    if "next_tool_name" in seen:
        name = "balance" if "plenty" not in seen else "finish" if "receipt" in seen or "403" in seen else "pay"
        arguments = {"amount": 7, "note": f"words {number}"} if name == "pay" else {}
        values = {"next_thought": "thought", "next_tool_name": name, "next_tool_args": json.dumps(arguments)}
    return "\n\n".join(f"[[ ## {field} ## ]]\n{value}" for field, value in values.items()) + "\n\n[[ ## completed ## ]]"


def filled(schema, words, name="", root=None):
    """A value of the schema, with the words as its texts."""
    root = schema if root is None else root
    if "$ref" in schema:
        return filled(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], words, name, root)
    for kind in ("anyOf", "oneOf", "allOf"):
        if kind in schema:
            return filled(schema[kind][0], words, name, root)
    if "enum" in schema:
        return next((each for each in schema["enum"] if "cashier" in str(each)), schema["enum"][0])
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties") or {}
        wanted = schema.get("required") or ()
        return {each: filled(properties[each], words, each, root) for each in properties if each in wanted}
    return {
        "integer": 7, "number": 7.5, "boolean": True, "null": None,
        "array": [filled(schema["items"], words, "", root)] if schema.get("items") else [],
    }.get(schema.get("type"), {"agent_name": "cashier", "to_agent": "PaymentAgent"}.get(
        name, words))
