"""Devices kept to one run at a time. Names know nothing of Prefect."""
