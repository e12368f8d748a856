#!/bin/sh
# Releases one service on a host with Docker Compose: migrations first, which the release before can live
# with, then its processes; nothing else is touched. Which image: <SERVICE>_TAG in .env.
#   deploy/compose/release.sh SERVICE      DRY_RUN=1 only says what it would do
set -eu
cd "$(dirname "$0")/../.."

service=${1:?which one: identity, catalog, booking, config or gateway}

case $service in
identity) jobs="identity-migrate seed-clients" processes="identity identity-worker" ;;
catalog) jobs="catalog-migrate" processes="catalog catalog-worker" ;;
booking) jobs="booking-migrate" processes="booking booking-worker" ;;
config) jobs="config-migrate seed-fees" processes="config" ;;
gateway) jobs="" processes="gateway" ;;
*) echo "no such service: $service" >&2 && exit 2 ;;
esac

say_and_do() {
    echo "+ $*"
    [ -n "${DRY_RUN:-}" ] || "$@"
}

for job in $jobs; do
    say_and_do docker compose run --rm --no-deps "$job"
done
# shellcheck disable=SC2086 # several words
say_and_do docker compose up --detach --no-deps --wait $processes
