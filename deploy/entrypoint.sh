#!/bin/sh
# Secrets are files named like the environment variable they are for, as in /run/secrets/PREFECT_SERVER_DATABASE_PASSWORD.
# They become variables here, so that no password stands in a compose file or in what `docker inspect` shows.
set -eu
for file in "${MUSC_SECRETS:-/run/secrets}"/*; do
    name=${file##*/}
    case $name in
        [!A-Z]* | *[!A-Z0-9_]*) continue ;;
    esac
    value=$(cat "$file")
    export "$name=$value"
done
exec "$@"
