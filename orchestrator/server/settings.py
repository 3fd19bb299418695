"""What can be set about `serve`: flags win over the environment, the environment over the file."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from orchestrator.adapters.given_files import unreadable
from orchestrator.adapters.identities.grants import Grants
from orchestrator.errors import BadInput
from orchestrator.policy.files.field_places import located
from orchestrator.policy.files.model_problem import first_problem
from orchestrator.policy.files.yaml_text import LOADER, no_yaml
from orchestrator.server.signin.signin_settings import SignIn
from orchestrator.server.webhooks.webhook_settings import Webhooks

PREFIX, NESTED = "NETPOL_CANARY_", "__"
MOST_BYTES = 256 * 1024
LISTED = "docs/settings.md lists them"
# What the kubelet sets for a Service called netpol-canary, and what the probe program reads.
_FOREIGN = re.compile(r"SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?|PROBE_(WORK|MESSAGE)")


class Controller(BaseModel):
    """The section `controller`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(True, description="Roll out what is new, resume what was stopped.")
    poll_seconds: float = Field(
        30.0,
        ge=1,
        le=86400,
        description="Seconds between two polls of a source's repository, give or take 10 %.",
    )
    most_poll_seconds: float = Field(
        600.0,
        ge=1,
        le=86400,
        description="Each error of a Git host in a row doubles that interval, up to so many seconds.",
    )
    most_rollouts: int = Field(
        16,
        ge=1,
        le=64,
        description="Rollouts that may be in an open wave at once, over all sources; the others queue.",
    )
    most_namespaces: int = Field(
        500,
        ge=1,
        le=100000,
        description="Namespaces that may be in open waves at once; a wave that is larger goes alone.",
    )


class Pages(BaseModel):
    """The section `pages`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(True, description="Serve the web pages.")
    url: str = Field(
        "",
        max_length=500,
        pattern="^(https?://.+)?$",
        description="Where people reach the pages: what Git hosts and notifications link to. "
        "Without it that is signin.external_url.",
    )


class Settings(BaseSettings):
    """Everything that `serve` takes; docs/settings.md is written from the descriptions."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=NESTED, extra="forbid", frozen=True
    )

    namespace: str = Field(
        "netpol-canary", min_length=1, max_length=63, description="The orchestrator's own namespace."
    )
    context: str = Field("", description="The kubeconfig's context.")
    kubeconfig: str = Field(
        "", description="The kubeconfig file; else KUBECONFIG, else the pod's own account."
    )
    secrets: Path | None = Field(None, description="A directory NAME/KEY in place of Secrets.")
    probe_image: str = Field(
        "", max_length=512, description="What probe pods run where a strategy names no image."
    )
    listen: str = Field(
        ":8080", max_length=300, description="HOST:PORT, or :PORT for all IPv4 addresses, [::]:PORT for IPv6."
    )
    max_connections: int = Field(
        1000, ge=10, le=100_000, description="Open connections; a request over more of them gets 503."
    )
    log: Literal["", "json", "console"] = Field(
        "", description="The log's form; else what suits standard error."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    controller: Controller = Field(Controller(), description="Rollouts.")
    webhooks: Webhooks = Field(Webhooks(), description="Pushes that Git hosts report.")
    pages: Pages = Field(Pages(), description="The web pages.")
    signin: SignIn = Field(SignIn(), description="Who comes in to the pages: docs/sign-in.md.")
    identity: Grants = Field(
        Grants(),
        description="Where netpol-canary's own identity may be sent when sources ask for it: docs/analysis.md.",
    )


class Leaf(NamedTuple):
    """One setting: where it stands in the model, and what is known of it."""

    path: tuple[str, ...]
    field: FieldInfo

    @property
    def name(self) -> str:
        """As in the file, with dots."""
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        """As in the environment."""
        return PREFIX + NESTED.join(self.path).upper()


def leaves(model: type[BaseModel] = Settings, above: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Every setting that is no section."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, (*above, name))
        else:
            yield Leaf((*above, name), field)


def unknown(environment: Mapping[str, str]) -> list[str]:
    """Variables with the project's prefix that set nothing."""
    known = {leaf.variable for leaf in leaves()}
    mine = (n for n in environment if n.startswith(PREFIX) and n not in known)
    return sorted(n for n in mine if not _FOREIGN.fullmatch(n.removeprefix(PREFIX)))


def load(file: Path | None = None, flags: Mapping[str, Any] | None = None) -> Settings:
    """Raises BadInput that names the setting. `flags` are nested like the model."""
    text, given = _file(file) if file else (b"", {})
    known = {leaf.variable.lower() for leaf in leaves()}

    class Loaded(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            assert isinstance(env_settings, EnvSettingsSource)
            env_settings.env_vars = {k: v for k, v in env_settings.env_vars.items() if k in known}
            return init_settings, env_settings, InitSettingsSource(settings_cls, given)

    try:
        return Loaded(**(flags or {}))
    except ValidationError as error:
        name, what, fix = first_problem(error, Settings)
        leaf = next(
            (leaf for leaf in leaves() if name == leaf.name or name.startswith(f"{leaf.name}[")), None
        )
        if leaf and "SecretStr" in str(leaf.field.annotation):  # what was given is shown to nobody
            said = error.errors(include_input=False, include_url=False)[0]["msg"].removeprefix(
                "Value error, "
            )
            what = f"{said[:1].lower()}{said[1:]}"
        where, cited = leaf.variable if leaf and leaf.variable in os.environ else "", None
        if not where and file and _stands(name, given):
            where, cited = located(text, str(file), name)
        fix = fix or (LISTED if what == "unknown field" else "")
        raise BadInput(f"the setting {name}: {what}", where, fix, cited) from None
    except SettingsError:
        where = next((leaf.variable for leaf in leaves() if _no_list(leaf)), "the environment")
        raise BadInput("this is no list", where, 'lists are written as JSON, such as ["a", "b"]') from None


def _no_list(leaf: Leaf) -> bool:
    """Whether a variable ought to hold a list, and cannot be read as one."""
    if get_origin(leaf.field.annotation) is not list or leaf.variable not in os.environ:
        return False
    try:
        return not isinstance(json.loads(os.environ[leaf.variable]), list)
    except ValueError:
        return True


def _stands(name: str, given: Mapping[str, Any]) -> bool:
    """Whether a setting, or what should hold it, is among what a file gives."""
    inner: Any = given
    for part in name.partition("[")[0].split("."):
        if not isinstance(inner, Mapping) or part not in inner:
            return inner is not given
        inner = inner[part]
    return True


def _file(path: Path) -> tuple[bytes, dict[str, Any]]:
    """The text of a file of settings, and what it gives."""
    try:
        with path.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise unreadable(error, path, "give --config a file") from None
    if len(raw) > MOST_BYTES:
        raise BadInput(f"is larger than {MOST_BYTES >> 10} KiB", str(path))
    try:
        found = yaml.load(raw, LOADER)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise no_yaml(error, raw, str(path)) from None
    if not isinstance(found, dict | None):
        where, cited = located(raw, str(path), "")
        raise BadInput("a mapping of settings is wanted", where, LISTED, cited)
    return raw, {str(k): v for k, v in (found or {}).items()}
