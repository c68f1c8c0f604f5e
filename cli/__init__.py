"""The `musc` command: reads options, calls a flow, prints what came out. Nothing is computed here."""
