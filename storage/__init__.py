"""What lies on disk or in an object store, and how it is found again. Knows neither torch nor Prefect."""
