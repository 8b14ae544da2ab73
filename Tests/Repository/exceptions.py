"""What is allowed to break a rule of style for now, as "path: rule". The list only shrinks.

A test fails when an entry is not needed any more, and when the number here is not the list's length: so each removal
lowers the number, and raising it shows in a review.
"""

COUNT = 0

ALLOWED: frozenset[str] = frozenset()
