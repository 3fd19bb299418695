"""Which provider a name stands for: one of the list, `prometheus` from its own settings, or `kubernetes`."""

from orchestrator.errors import BadInput
from orchestrator.rollout.resources import model as m

KUBERNETES = "kubernetes"
PROMETHEUS = "prometheus"
PRESENT = frozenset({"http", KUBERNETES})  # types that know the present alone


def provider_of(analysis: m.Analysis, name: str) -> m.Provider | None:
    """None where the strategy sets up none of that name; `kubernetes` needs no settings.

    Raises BadInput where two have the name.
    """
    found = [p for p in analysis.providers if p.name == name]
    if name == PROMETHEUS and analysis.prometheus.url:
        found.append(m.Provider(name=PROMETHEUS, **analysis.prometheus.model_dump()))
    if len(found) > 1:
        raise BadInput(
            f"two providers are called {name}", "analysis.providers", "give each a name of its own"
        )
    if not found and name == KUBERNETES:
        return m.Provider(name=KUBERNETES, type=KUBERNETES)
    return found[0] if found else None


def amiss(name: str, error: Exception) -> str:
    """Why a provider cannot be asked, which names it once."""
    whose, text = f"the provider {name}", str(error)
    return text if text.startswith((f"{whose}:", f"{whose},")) else f"{whose}: {text}"


def knows_past(analysis: m.Analysis) -> bool:
    """Whether every metric can be asked for at a time that is gone; raises BadInput as `provider_of` does."""
    found = [provider_of(analysis, metric.provider) for metric in analysis.metrics]
    return all(provider is None or provider.type not in PRESENT for provider in found)
