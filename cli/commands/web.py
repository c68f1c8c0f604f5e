"""`musc web`: the review site of a store."""

import typer


def run(url: str, host: str, port: int) -> None:
    """Serve the site until it is stopped."""
    from storage.secrets import require_no_secret

    require_no_secret("store", url)
    from web.serve import listening, place_of, require_site_store, serve

    store, place = require_site_store(url), place_of(host, port)
    listener = listening(place)
    typer.echo(f"The review site of {url} is at {place.address} (Ctrl-C ends it)")
    serve(store, place, listener)
