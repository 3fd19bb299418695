"""People with client certificates of their own, for a control plane that harness.py started, and service accounts."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

from patience import ENOUGH


def _run(*command):
    subprocess.run([str(part) for part in command], check=True, capture_output=True, timeout=ENOUGH)


def person(plane, folder, user, groups=()):
    """A ControlPlane as this user sees it: kubectl and the kubeconfig carry the certificate."""
    home, folder = Path(plane.kubeconfig).parent, Path(folder)
    key, request, certificate = (folder / f"{user}.{end}" for end in ("key", "csr", "crt"))
    subject = "".join(f"/O={g}" for g in groups) + f"/CN={user}"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    _run("openssl", "req", "-new", *curve, "-nodes", "-keyout", key, "-out", request, "-subj", subject)
    signer = ["-CA", home / "clients.crt", "-CAkey", home / "clients.key", "-CAcreateserial"]
    _run("openssl", "x509", "-req", "-in", request, *signer, "-out", certificate, "-days", "2")
    return with_user(
        plane, folder / f"{user}.kubeconfig", {"client-certificate": str(certificate), "client-key": str(key)}
    )


def service_account(plane, folder, namespace, name):
    """The same for a service account of any cluster, by a token that the API server gives out."""
    token = plane.run("create", "token", name, "-n", namespace).strip()
    return with_user(plane, Path(folder) / f"{name}.kubeconfig", {"token": token})


def with_user(plane, path, user):
    body = json.loads(plane.run("config", "view", "--raw", "--flatten", "--minify", "-o", "json"))
    path.write_text(json.dumps({**body, "users": [{"name": body["users"][0]["name"], "user": user}]}))
    return replace(plane, kubeconfig=str(path))
