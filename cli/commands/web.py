"""`musc web`: the review site of a store."""

import typer

from storage.results.run_files import Language


def run(url: str, host: str, port: int, address: str, root_path: str, language: Language | None) -> None:
    """Serve the site until it is stopped."""
    from storage.secrets import require_no_secret

    require_no_secret("store", url)
    from storage.results.site_address import note_site
    from web.serve import listening, place_of, require_site_store, serve

    store, place = require_site_store(url), place_of(host, port, address, root_path)
    listener = listening(place)
    typer.echo(f"The review site of {url} is at {place.invitation} (Ctrl-C ends it)")
    note_site(store, place.address)
    serve(store, place, listener, language)
