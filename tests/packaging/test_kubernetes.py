"""The Kubernetes manifests, against the schemas of Kubernetes; no cluster sees them."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from tests.packaging.installations import (
    KUBERNETES,
    OVERLAY,
    WEB_SERVER,
    make_secrets,
    manifests,
    mounted_secrets,
    processes_of_kubernetes,
)

from devstack.settings import CHECKOUT, SERVICES, SERVICES_WITH_WORKER

VERSIONS = ("1.31", "1.37")  # the oldest it is meant for, and the newest that there are schemas of
WRITTEN = manifests(KUBERNETES / "base", OVERLAY)
WEBS = {"gateway", *SERVICES}
WORKERS = {f"{service}-worker" for service in SERVICES_WITH_WORKER}
PODS = ("Deployment", "StatefulSet", "Job")
PARTS = {"web", "worker", "gateway", "migration", "seed", "roles", "settings", "platform"}

Manifest = dict[str, Any]


def named(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def component(manifest: Manifest) -> str:
    return str(manifest["metadata"]["labels"]["app.kubernetes.io/component"])


def of_kind(found: Sequence[Manifest], *kinds: str) -> dict[str, Manifest]:
    return {it["metadata"]["name"]: it for it in found if it["kind"] in kinds}


@pytest.fixture(scope="module")
def kubectl() -> str:
    found = shutil.which("kubectl")
    if found is None:
        pytest.skip("no kubectl here: what kustomize makes of the manifests is not looked at")
    return found


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The overlay in a copy, with secrets."""
    copy = tmp_path_factory.mktemp("checkout") / "deploy"
    ours = shutil.ignore_patterns("dev", "secrets")
    shutil.copytree(CHECKOUT / "deploy", copy, ignore=ours)
    folder = copy / OVERLAY.relative_to(CHECKOUT / "deploy")
    make_secrets(folder / "secrets", database="postgres:5432", development=True)
    return folder


@pytest.fixture(scope="module")
def rendered(kubectl: str, overlay: Path) -> list[Manifest]:
    """What kustomize makes of the overlay."""
    done = subprocess.run(
        [kubectl, "kustomize", overlay], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.mark.parametrize("manifest", WRITTEN, ids=named)
def test_a_manifest_is_what_kubernetes_knows(manifest: Manifest) -> None:
    for version in VERSIONS:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_what_kustomize_makes_of_them_is_too(rendered: list[Manifest]) -> None:
    assert len(rendered) > len(WRITTEN)
    for manifest in rendered:
        for version in VERSIONS:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_a_pod_has_the_secrets_it_reads_and_no_others() -> None:
    processes = processes_of_kubernetes()

    assert processes.keys() > set(SERVICES) | WORKERS
    for process in processes.values():
        assert process.secrets == process.secrets_read, process.name


def test_the_overlay_makes_the_secrets_that_are_mounted_and_no_others() -> None:
    kustomization = yaml.safe_load((OVERLAY / "kustomization.yaml").read_text())
    made = {
        secret["name"]: {Path(file).name for file in secret["files"]}
        for secret in kustomization["secretGenerator"]
        if secret["name"] != "administrator"
    }
    mounted: dict[str, set[str]] = {}
    for manifest in of_kind(manifests(KUBERNETES / "base"), *PODS).values():
        if component(manifest) != "gateway":
            secret, files = mounted_secrets(manifest)
            mounted.setdefault(secret, set()).update(files)

    assert made == mounted


def test_what_serves_cannot_migrate() -> None:
    for manifest in WRITTEN:
        if manifest["kind"] in ("Deployment", "StatefulSet"):
            volumes = manifest["spec"]["template"]["spec"]["volumes"]
            mounted = {volume["secret"]["secretName"] for volume in volumes if "secret" in volume}
            assert mounted.isdisjoint({"administrator", *(f"{x}-owner" for x in SERVICES)})


def test_the_gateway_alone_is_public(rendered: list[Manifest]) -> None:
    services = of_kind(rendered, "Service")
    (ingress,) = of_kind(rendered, "Ingress").values()

    assert {it["spec"].get("type", "ClusterIP") for it in services.values()} == {"ClusterIP"}
    paths = [path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
    assert [path["backend"]["service"]["name"] for path in paths] == ["gateway"]


def test_nobody_is_reached_or_reaches_out_unless_a_policy_says_so(
    rendered: list[Manifest],
) -> None:
    policies = of_kind(rendered, "NetworkPolicy")

    everybody = policies["nobody"]["spec"]
    assert everybody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    from_elsewhere = {
        name
        for name, policy in policies.items()
        for rule in policy["spec"].get("ingress", [])
        for source in rule["from"]
        if "podSelector" not in source
    }
    assert from_elsewhere == {"gateway", "metrics"}


def test_every_pod_is_restricted_and_bounded(rendered: list[Manifest]) -> None:
    for name, it in of_kind(rendered, *PODS).items():
        pod = it["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, name
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert container["resources"]["limits"].keys() == {"cpu", "memory"}, name
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
        scratch = [volume["emptyDir"] for volume in pod["volumes"] if "emptyDir" in volume]
        assert all("sizeLimit" in volume for volume in scratch), name


def test_what_serves_is_probed_spread_and_never_gone_altogether(rendered: list[Manifest]) -> None:
    serving = of_kind(rendered, "Deployment", "StatefulSet")
    budgets = of_kind(rendered, "PodDisruptionBudget")

    assert serving.keys() == WEBS | WORKERS == budgets.keys()
    for name, it in serving.items():
        pod = it["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys(), name
        assert pod["terminationGracePeriodSeconds"] >= 20, name
        assert budgets[name]["spec"]["selector"] == it["spec"]["selector"], name
        for constraint in pod["topologySpreadConstraints"]:
            assert constraint["labelSelector"] == it["spec"]["selector"], name


def test_what_serves_is_replaced_without_a_gap_and_has_the_time_to_drain(
    rendered: list[Manifest],
) -> None:
    for name, it in of_kind(rendered, "Deployment").items():
        pod = it["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert it["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0, name
        if name in SERVICES:
            needed = before + WEB_SERVER["graceful_timeout"]
            assert pod["terminationGracePeriodSeconds"] > needed, name


def test_the_number_of_web_processes_follows_their_load(rendered: list[Manifest]) -> None:
    scalers = of_kind(rendered, "HorizontalPodAutoscaler")

    assert scalers.keys() == WEBS
    for name, scaler in scalers.items():
        assert scaler["spec"]["scaleTargetRef"]["name"] == name
        assert scaler["spec"]["minReplicas"] >= 2
    for name, deployment in of_kind(rendered, "Deployment").items():
        assert "replicas" not in deployment["spec"], f"{name}: applying it would undo the scaling"


def test_a_worker_has_an_id_that_is_its_own_and_stays(rendered: list[Manifest]) -> None:
    for name, it in of_kind(rendered, "StatefulSet").items():
        (container,) = it["spec"]["template"]["spec"]["containers"]
        variables = {each["name"]: each for each in container["env"]}
        assert variables["WORKER_ID"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
        assert it["spec"]["serviceName"] == name


def test_every_resource_is_part_of_something_that_is_released(rendered: list[Manifest]) -> None:
    assert {component(it) for it in rendered} == PARTS


def releases(script: str, *words: str | Path) -> list[str]:
    done = subprocess.run(
        [CHECKOUT / script, *words],
        env={"PATH": os.environ["PATH"], "HOME": os.devnull, "DRY_RUN": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.usefixtures("kubectl")
def test_a_release_on_kubernetes_migrates_first_and_touches_one_service(
    service: str, overlay: Path
) -> None:
    steps = releases("deploy/k8s/release.sh", service, overlay)

    (migrated,) = (n for n, step in enumerate(steps) if "wait job" in step and "migration" in step)
    (rolled_out,) = (n for n, step in enumerate(steps) if f"deployment/{service} " in step)
    (applied,) = (n for n, step in enumerate(steps) if "web, worker" in step)
    assert migrated < applied < rolled_out
    others = [other for other in SERVICES if other != service]
    assert [step for step in steps for other in others if f"name={other}" in step] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_release_with_compose_migrates_first_and_touches_one_service(service: str) -> None:
    steps = releases("deploy/compose/release.sh", service)

    worker = [f"{service}-worker"] if service in SERVICES_WITH_WORKER else []
    compose = "+ docker compose --profile release"
    assert steps[0] == f"+ docker compose run --rm --no-deps {service}-migrate"
    assert steps[-3:] == [
        f"{compose} up --detach --no-deps --wait {service}-next",
        f"{compose} up --detach --no-deps --wait {' '.join([service, *worker])}",
        f"{compose} rm --stop --force {service}-next",
    ]


@pytest.mark.parametrize("script", ["deploy/k8s/release.sh", "deploy/compose/release.sh"])
def test_nothing_is_released_under_a_wrong_name(script: str) -> None:
    done = subprocess.run(
        [CHECKOUT / script, "bookings"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "no such service: bookings" in done.stderr
