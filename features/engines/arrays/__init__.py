"""The third engine: the same expressions on NumPy arrays, for the few rows of a request.

DuckDB and Spark are made for many rows. Before the first one they plan and allocate for milliseconds, which is most of
what an answer for one customer would cost. Here an expression becomes a list of NumPy calls once, and running it costs
little more than these.

It knows the operations that features and reading use, and refuses any other when the expression is compiled. What it
gives is what DuckDB gives, to the last bit: tests compare the two.
"""

from tiercast.features.engines.arrays.column import Column, Given, UnknownOperation
from tiercast.features.engines.arrays.program import Answers, Program

__all__ = ["Answers", "Column", "Given", "Program", "UnknownOperation"]
