"""WHAT WE CALL IT: the grid, reasons and actions. Policy as data."""
