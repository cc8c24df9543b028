"""The third engine: the same expressions on NumPy arrays, for the few rows of a request.

DuckDB and Spark are made for many rows. They plan and allocate for milliseconds before the first row, which would be
most of the time of a request for one customer. This engine compiles an expression once to a list of NumPy calls, and
running it costs little more than these calls.

It supports the operations that features and reading use, and refuses any other when the expression is compiled. Its
results equal DuckDB's to the last bit: tests compare the two.
"""

from tiercast.features.engines.arrays.column import Column, InputTable, UnsupportedOperation
from tiercast.features.engines.arrays.program import Program, Results

__all__ = ["Column", "InputTable", "Program", "Results", "UnsupportedOperation"]
