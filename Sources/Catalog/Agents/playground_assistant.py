"""An assistant without code of its own.

There is no handler here: the runtime asks the agent's model, makes the calls of tools that it asks for, and answers with
what it says in the end. Put a function `handler(request, context)` here to take that over.
"""
