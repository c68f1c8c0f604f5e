"""The `musc` command: reads options, calls a flow, prints what came out. Thin; nothing is computed here."""
