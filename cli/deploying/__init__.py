"""Everything on a Prefect server that this project needs there, made or brought up to date in one step."""
