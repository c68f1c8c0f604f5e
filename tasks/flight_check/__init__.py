"""The flight check: what a night depends on, each thing looked at by itself on the machine that will run it."""
