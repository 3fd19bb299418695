"""Which identity asks a metric provider: of the Secret that the source names, or netpol-canary's own where that is granted."""

import hashlib
import json
from collections.abc import Callable, Mapping
from importlib import import_module

from orchestrator.adapters.http.allowed_addresses import shown
from orchestrator.adapters.http.proof import Identity
from orchestrator.adapters.identities import azure_token, google_token
from orchestrator.adapters.identities.aws_signature import AwsSignature, GivenKeys, OwnKeys, region_of
from orchestrator.adapters.identities.file_token import FileToken
from orchestrator.adapters.identities.grants import Grants, covered
from orchestrator.adapters.identities.made_once import MadeOnce
from orchestrator.adapters.identities.renewed_token import Bearer
from orchestrator.errors import BadInput
from orchestrator.ports import Clock
from orchestrator.rollout.resources import model as m

LIBRARIES = {
    "aws": ("botocore", "botocore"),
    "google": ("google.auth", "google-auth"),
    "azure": ("azure.identity", "azure-identity"),
}


class Identities:
    """Those of this process, kept: the sources that use them are built anew every minute."""

    def __init__(self, clock: Clock, granted: Callable[[], Grants] = Grants) -> None:
        self._clock, self._granted = clock, granted
        self._kept = MadeOnce[Identity]()
        self._own_keys = OwnKeys(clock)

    def get(self, provider: m.Provider, secret: Mapping[str, bytes]) -> Identity | None:
        """None where the provider names none. Raises BadInput for what is not granted, or cannot be meant."""
        wanted, where = provider.identity, f"the provider {provider.name}"
        if wanted.type == "none":
            return None
        own = wanted.type == "tokenFile" or not provider.secret_ref
        file = self._granted_file(provider, where) if own else ""
        given = "" if own else _digest(secret)
        key = json.dumps([wanted.model_dump(), provider.url, file, own, given])
        return self._kept.get(key, lambda: self._made(provider, None if own else secret, file, where))

    def _granted_file(self, provider: m.Provider, where: str) -> str:
        """The file of a token, empty for another identity. Raises BadInput where its own may not be sent there."""
        wanted, grants = provider.identity, self._granted()
        if wanted.type == "tokenFile":
            setting, what = "identity.token_files", f"the token {wanted.name}"
            token = grants.token_files.get(wanted.name)
            file, addresses = (token.file, token.addresses) if token else ("", ())
        else:
            setting, what = f"identity.{wanted.type}", f"its own {wanted.type} identity"
            file, addresses = "", getattr(grants, wanted.type)
        if not covered(provider.url, addresses):
            variable = f"NETPOL_CANARY_{setting.upper().replace('.', '__')}"
            text = f"netpol-canary may not send {what} to {shown(provider.url)}"
            raise BadInput(text, where, f"whoever runs it grants that by the setting {setting} ({variable})")
        if provider.insecure_skip_tls_verify:
            text = "netpol-canary's own identity is sent to no server whose certificate is not verified"
            raise BadInput(text, where, "leave insecureSkipTlsVerify out; caFile names another authority")
        return file

    def _made(
        self, provider: m.Provider, secret: Mapping[str, bytes] | None, file: str, where: str
    ) -> Identity:
        """`secret` is None for its own."""
        wanted, clock = provider.identity, self._clock
        if wanted.type == "tokenFile":
            return FileToken(wanted.name, file)
        module, package = LIBRARIES[wanted.type]
        try:
            import_module(module)
        except ImportError:
            hint = f"install netpol-canary[{wanted.type}]"
            raise BadInput(f"its identity {wanted.type} needs {package}", where, hint) from None
        if wanted.type == "aws":
            keys = self._own_keys if secret is None else GivenKeys(secret, where)
            return AwsSignature(keys, region_of(provider.url, wanted.region, where))
        if wanted.type == "google":
            if secret is None:
                return Bearer(google_token.own(clock))
            return Bearer(google_token.of_secret(secret, where, clock))
        if secret is None:
            return Bearer(azure_token.own(provider.url, clock))
        return Bearer(azure_token.of_secret(secret, provider.url, where, clock))


def _digest(secret: Mapping[str, bytes]) -> str:
    parts = [(key, hashlib.sha256(value).hexdigest()) for key, value in sorted(secret.items())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
