"""One file per command, or per family of commands; each adds itself to the app."""
