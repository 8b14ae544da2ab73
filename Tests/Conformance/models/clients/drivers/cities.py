"""The structured answer that every driver asks for."""

import pydantic


class City(pydantic.BaseModel):
    """Where it is how warm."""

    city: str
    degrees: int
