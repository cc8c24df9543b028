"""WHAT WE PROMISED: errors, columns, arrays and files. All packages may import it; it imports none of them."""
