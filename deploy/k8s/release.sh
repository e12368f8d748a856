#!/bin/sh
# Releases one service on Kubernetes, as the overlay describes it, in the order that keeps the platform up:
# migrations first, which the release before can live with, then its processes; no other service is touched.
# "database" is the roles and schemas, before the first release.
#   deploy/k8s/release.sh SERVICE [OVERLAY]      DRY_RUN=1 only says what it would do
set -eu

service=${1:?which one: database, identity, catalog, booking, config or gateway}
overlay=${2:-$(dirname "$0")/overlays/production}

case $service in
database) jobs="roles" rollouts="" ;;
identity) jobs="migration seed" rollouts="deployment/identity statefulset/identity-worker" ;;
catalog) jobs="migration" rollouts="deployment/catalog statefulset/catalog-worker" ;;
booking) jobs="migration" rollouts="deployment/booking statefulset/booking-worker" ;;
config) jobs="migration seed" rollouts="deployment/config" ;;
gateway) jobs="" rollouts="deployment/gateway" ;;
*) echo "no such service: $service" >&2 && exit 2 ;;
esac

manifests=$(mktemp)
trap 'rm -f "$manifests"' EXIT
kubectl kustomize "$overlay" > "$manifests"
namespace=$(awk '/^namespace:/ { print $2 }' "$overlay/kustomization.yaml")

say_and_do() {
    echo "+ $*"
    [ -n "${DRY_RUN:-}" ] || "$@"
}

apply() { say_and_do kubectl apply --namespace "$namespace" --filename "$manifests" --selector "$1"; }

of() { echo "app.kubernetes.io/name=$service,app.kubernetes.io/component=$1"; }

# Changed settings and secrets have new names: what runs does not see them.
apply "app.kubernetes.io/component in (platform, settings)"
for job in $jobs; do
    # a Job cannot be changed, only made anew
    say_and_do kubectl delete job --namespace "$namespace" --selector "$(of "$job")" --ignore-not-found
    apply "$(of "$job")"
    say_and_do kubectl wait job --namespace "$namespace" --selector "$(of "$job")" \
        --for condition=complete --timeout 11m
done
[ -n "$rollouts" ] || exit 0
apply "app.kubernetes.io/name=$service,app.kubernetes.io/component in (gateway, web, worker)"
for rollout in $rollouts; do
    say_and_do kubectl rollout status --namespace "$namespace" "$rollout" --timeout 10m
done
