"""What a column's reading says of its place among the others, for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field


class Weighed(BaseModel):
    """Where to look first, and what a column is made of."""

    rank: Annotated[int, Field(description="1: look here first; drift times importance")]
    importance: Annotated[float | None, Field(description="1 is the most important column's")]
    source: Annotated[str, Field(description="the column that a derived one is made of")]
    distinct: Annotated[int | None, Field(description="different values, about; categorical")]
    reference_distinct: int | None
