"""The served model: loaded from a folder or the registry, reloaded without a pause, compared with a challenger."""
