"""WHAT WE PROMISED: errors, input columns and score columns. Everyone may read it; it reads no one."""
