"""A storm over real processes: `python -m tests.chaos --orders N --seed S --json`."""
