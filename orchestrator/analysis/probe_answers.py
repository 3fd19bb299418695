"""What probes say: each answer by its baseline and by the wave's controls, and where analysis and packets disagree."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.rollout.resources.model import ProbeRecord, WaveProbe
from orchestrator.wording import first

NOT_ENFORCED = "the CNI does not enforce it, a label is wrong, or the analysis is"
MOST_SAID = 16
MOST_SILENT = 0.1  # of all probes; beyond that the others prove too little


@dataclass(frozen=True)
class Judgement:
    """`lost` are ways on which the cluster is seen, `wrong` other regressions, `unclear` what forbids a verdict.

    `alarms` are for people even where they decide nothing: prediction and packets disagree, a control moved.
    """

    lost: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    agreed: int = 0

    @property
    def failed(self) -> bool:
        return bool(self.lost or self.wrong)


@dataclass(frozen=True)
class Asked:
    """One probe with its answers before and after the change; `unknown` where it could not be tried.

    `message` belongs to the answer after the change, `earlier` to the one before it.
    """

    probe: WaveProbe
    before: str
    after: str
    message: str = ""
    earlier: str = ""

    @property
    def ends(self) -> str:
        spoken = "DNS at " if self.probe.check == "dns" else ""
        return (
            f"{self.probe.source} to {spoken}{self.probe.destination}:{self.probe.port}/{self.probe.protocol}"
        )

    @property
    def known(self) -> bool:
        """Whether both answers are there."""
        return "unknown" not in (self.before, self.after)


def asked(probes: Sequence[WaveProbe], records: Sequence[ProbeRecord]) -> list[Asked]:
    """Each probe with its records; the newest where there are several."""
    before = {r.probe: r for r in records if r.when == "baseline"}
    after = {r.probe: r for r in records if r.when == "after"}
    return [
        Asked(
            probe,
            before[probe.name].observed if probe.name in before else "unknown",
            after[probe.name].observed if probe.name in after else "unknown",
            after[probe.name].message if probe.name in after else "",
            before[probe.name].message if probe.name in before else "",
        )
        for probe in probes
    ]


def judged(probes: Sequence[WaveProbe], records: Sequence[ProbeRecord]) -> Judgement:
    """Judge all answers together: where a control moved, nothing else proves anything."""
    answers = asked(probes, records)
    controls = [a for a in answers if a.probe.role in ("mustPass", "mustNotPass")]
    others = [a for a in answers if a.probe.role not in ("mustPass", "mustNotPass")]
    moved = [text for a in controls if (text := _control(a))]
    listening = {_target(a.probe) for a in answers if "reach" in (a.before, a.after)}
    lost: list[str] = []
    wrong: list[str] = []
    unclear: list[str] = []
    alarms: list[str] = [*moved]
    for answer in others:
        kind, text = _other(answer, _target(answer.probe) in listening)
        {"lost": lost, "wrong": wrong, "unclear": unclear, "alarm": alarms, "": []}[kind].append(text)
        if kind == "unclear" and answer.probe.role == "edge":
            alarms.append(text)
    broke = {r.probe: r.message for r in records if r.when == "longLived" and r.observed == "blocked"}
    for answer in others:
        if answer.probe.name in broke and answer.after == answer.probe.expect == "reach":
            why = f" ({broke[answer.probe.name]})" if broke[answer.probe.name] else ""
            wrong.append(f"{answer.ends}: a connection that was open before the change broke{why}")
    missing = _missing(answers)
    agreed = sum(_agrees(a) for a in others)
    if moved:
        return Judgement((), (), _some([*moved, *lost, *wrong]), _some(alarms), agreed)
    return Judgement(_some(lost), _some(wrong), _some([*missing, *unclear]), _some(alarms), agreed)


def _agrees(answer: Asked) -> bool:
    """Packets that pass show that by themselves; that none do, only where they did before, or were known not to."""
    shown = answer.before != "unknown" or answer.after == "reach"
    return shown and answer.after == answer.probe.expect


def _some(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(first([t for t in texts if t], MOST_SAID))


def _target(probe: WaveProbe) -> tuple[str, int, str]:
    return probe.destination, probe.port, probe.protocol


def _control(answer: Asked) -> str:
    """What is wrong with a control, nothing where it stands as it should."""
    probe = answer.probe
    if probe.role == "mustNotPass" and "reach" in (answer.before, answer.after):
        since = "before the change already" if answer.before == "reach" else "since the change"
        return f"{answer.ends} is denied by the policies and connects ({since}): nothing is enforced there"
    if not answer.known:
        return ""
    if answer.before != answer.after:
        said = f"the control probe {probe.name} answers {answer.after}, {answer.before} before the change"
        return f"{said}: the network itself changed"
    if probe.role == "mustPass" and answer.after == "blocked" and probe.before != "unknown":
        return f"{answer.ends} is allowed and did not connect before the change either: probes prove nothing"
    return ""


def _other(answer: Asked, listening: bool) -> tuple[str, str]:
    """Where an answer belongs, and how it is said. `listening`: somebody reached that port."""
    probe = answer.probe
    if answer.after == "unknown":
        return "", ""
    if answer.after == probe.expect:
        if probe.before == "blocked" and answer.before == "reach":
            return "alarm", f"{answer.ends} connected before the change, though it was denied: {NOT_ENFORCED}"
        return "", ""
    said = f"probe {probe.name}: expected {probe.expect}, seen {answer.after}"
    said += f" ({answer.message})" if answer.message and answer.after == "blocked" else ""
    if probe.role == "declared":
        if answer.before == answer.after:
            return "unclear", f"{said}, and so it was before the change"
        return "wrong", said
    if answer.before == "unknown":
        return "unclear", f"{said}, and it was not answered before the change"
    if probe.expect == "blocked":
        return "unclear", f"{answer.ends} should be cut by the change and still connects: {NOT_ENFORCED}"
    if answer.before == "reach":
        if probe.role == "observer":
            what = "name resolution" if probe.check == "dns" else "the metrics scrape"
            return "lost", f"{what}: {answer.ends} connected before the change and does not any more"
        return (
            "wrong",
            f"{answer.ends} connected before the change and does not any more, though it is allowed",
        )
    if probe.before == "blocked" and listening:
        return "unclear", f"{answer.ends} should be opened by the change and does not connect: {NOT_ENFORCED}"
    if probe.before == "blocked":
        return "unclear", f"{answer.ends} should be opened by the change, and nobody is seen to listen there"
    return "", ""


def _missing(answers: Sequence[Asked]) -> list[str]:
    """Declared probes and controls without an answer, connections of the diff, and others where many have none."""
    controls = [a for a in answers if a.probe.role in ("mustPass", "mustNotPass") and not a.known]
    return _silent(answers, controls, [a for a in answers if a.after == "unknown"])


def lacking(probes: Sequence[WaveProbe], records: Sequence[ProbeRecord]) -> str:
    """Why a baseline without these answers is none to judge a wave by; empty where it is one."""
    answers = [Asked(a.probe, a.before, a.before, a.earlier) for a in asked(probes, records)]
    controls = [a for a in answers if a.probe.role in ("mustPass", "mustNotPass") and not a.known]
    found = _silent(answers, controls, [a for a in answers if a.before == "unknown"])
    return f"{found[0]}; nothing is written yet" if found else ""


def _silent(answers: Sequence[Asked], controls: Sequence[Asked], unknown: Sequence[Asked]) -> list[str]:
    """UDP says nothing by silence, so it is not waited for."""
    silent = [a for a in unknown if a.probe.protocol != "UDP" or a.probe.check == "dns"]
    needed = [*controls, *(a for a in silent if a.probe.role in ("declared", "edge"))]
    if needed or len(silent) > len(answers) * MOST_SILENT:
        first = (needed or silent)[0]
        why = f": {first.message}" if first.message else ""
        return [f"not every probe could be run: {first.probe.name}{why}"]
    return []


def cannot_start(probes: Sequence[WaveProbe], records: Sequence[ProbeRecord]) -> str:
    """Said where every probe was answered before the change and none after it."""
    answers = [a for a in asked(probes, records) if a.before != "unknown"]
    if not answers or any(a.after != "unknown" for a in answers):
        return ""
    message = next((a.message for a in answers if a.message), "")
    return f"no probe could be run any more{': ' if message else ''}{message}"
