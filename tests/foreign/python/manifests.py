"""Kubernetes' manifests: read as YAML, and judged by the schemas of those who take them.

    manifests.py json     YAML on standard input, of one document or several, as one JSON array
    manifests.py judge    such an array on standard input: each object of Kubernetes' own by its schema, strictly; those of KEDA
                          and of the Prometheus operator by models made from their definitions. Prints who judged how many.
"""

import importlib
import json
import sys
from collections import Counter

import yaml

# Whose object it is, by its API: the module with the models of its kinds.
MODELS = {
    "keda.sh/v1alpha1": "cloudcoil.models.keda.v1alpha1",
    "monitoring.coreos.com/v1": "cloudcoil.models.prometheus_operator.v1",
}
# Judged by Strimzi's own classes, in Java.
ELSEWHERE = "kafka.strimzi.io/"


def lost(wanted, written, path):
    """What a model did not keep: a member that it does not know, or a value that it took for another."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            if not isinstance(written, dict) or key not in written:
                sys.exit(f"unknown {path}.{key}")
            lost(value, written[key], f"{path}.{key}")
    elif isinstance(wanted, list):
        for place, value in enumerate(wanted):
            lost(value, written[place], f"{path}[{place}]")
    elif wanted != written:
        sys.exit(f"{path}: {wanted!r} was taken for {written!r}")


def judge(thing):
    api, kind = thing["apiVersion"], thing["kind"]
    name = f"{kind} {thing['metadata']['name']}"
    if api.startswith(ELSEWHERE):
        return "elsewhere"
    if api in MODELS:
        import pydantic

        model = getattr(importlib.import_module(MODELS[api]), kind)
        try:
            read = model.model_validate(thing)
        except pydantic.ValidationError as error:
            sys.exit(f"{name}: {str(error).splitlines()[0]}")
        lost(thing, json.loads(read.model_dump_json(by_alias=True, exclude_unset=True)), name)
        return api
    import kubernetes_validate

    try:
        kubernetes_validate.validate(thing, "1.30", strict=True)
    except Exception as error:  # Its errors have no common kind.
        sys.exit(f"{name}: {str(error).splitlines()[0]}")
    return "kubernetes"


if sys.argv[1:] == ["json"]:
    json.dump([thing for thing in yaml.safe_load_all(sys.stdin) if thing], sys.stdout)
elif sys.argv[1:] == ["judge"]:
    judged = Counter(judge(thing) for thing in json.load(sys.stdin))
    print(json.dumps(judged, sort_keys=True))
else:
    sys.exit(__doc__)
