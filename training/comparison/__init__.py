"""WHICH IS BETTER: what a training keeps to be compared by, and two trainings put side by side."""
