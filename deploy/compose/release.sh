#!/bin/sh
# Releases one service on a host with Docker Compose: migrations first, which the release before can live
# with, then its processes; nothing else is touched. Which image: <SERVICE>_TAG in .env. A second web
# process, of the new release, serves while the first one is replaced.
#   deploy/compose/release.sh SERVICE      DRY_RUN=1 only says what it would do
set -eu
cd "$(dirname "$0")/../.."

service=${1:?which one: identity, catalog, booking, config or gateway}

case $service in
identity) jobs="identity-migrate seed-clients" web=identity others=identity-worker ;;
catalog) jobs="catalog-migrate" web=catalog others=catalog-worker ;;
booking) jobs="booking-migrate" web=booking others=booking-worker ;;
config) jobs="config-migrate seed-fees" web=config others="" ;;
gateway) jobs="" web="" others=gateway ;;
*) echo "no such service: $service" >&2 && exit 2 ;;
esac

say_and_do() {
    echo "+ $*"
    [ -n "${DRY_RUN:-}" ] || "$@"
}

for job in $jobs; do
    say_and_do docker compose run --rm --no-deps "$job"
done
up() { say_and_do docker compose --profile release up --detach --no-deps --wait "$@"; }

[ -z "$web" ] || up "$web-next"
up ${web:+"$web"} ${others:+"$others"}
[ -z "$web" ] || say_and_do docker compose --profile release rm --stop --force "$web-next"
