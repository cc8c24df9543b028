"""WHAT WE BELIEVE: pure maths, numbers in, numbers out, and the bundle that carries it."""
