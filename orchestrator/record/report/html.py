"""A rollout's report as one HTML file: nothing in it is loaded from elsewhere, nothing runs; light, dark, printable."""

from markupsafe import Markup

from orchestrator.harmless import visible
from orchestrator.record.drawings.graph import links_svg
from orchestrator.record.drawings.plot import curve_svg
from orchestrator.record.report import tables
from orchestrator.record.report.html_frame import template
from orchestrator.record.view import RolloutView, WaveView
from orchestrator.wording import many

MOST_CURVES = 40
TEMPLATE = r"""
{% from 'frame' import table, head %}
{{- head("Rollout " ~ view.name ~ ": " ~ view.phase) }}
<main>
<h1>Rollout {{ view.name }}: {{ view.phase }}</h1>
{% if view.explained %}<section class="why"><h2>Why</h2>
<dl>{% for title, text in view.explained %}<dt>{{ title }}</dt><dd>{{ text }}</dd>{% endfor %}</dl></section>{% endif %}
<dl>{% for title, text in facts %}<dt>{{ title }}</dt><dd>{{ text }}</dd>{% endfor %}</dl>
{{ table(namespaces, 2) }}
{% if view.boundaries %}<ul>{% for b in view.boundaries %}<li>between waves: {{ b }}</li>{% endfor %}</ul>{% endif %}
{% for wave, plots, graph, parts in waves %}
<section><h2>Wave {{ wave.number }}: {{ wave.state }}, {{ wave.verdict }}</h2>
<dl><dt>Why here</dt><dd>{{ wave.why }}</dd>
{% if wave.reason %}<dt>Verdict</dt><dd>{{ wave.reason }}</dd>{% endif %}
<dt>Watched</dt><dd>{{ wave.watched | join(", ") or "-" }}</dd>
<dt>Control group</dt><dd>{{ wave.control_group | join(", ") or "none" }}</dd>
{% for a in wave.alarms %}<dt>Alarm</dt><dd>{{ a }}</dd>{% endfor %}
{% for s in wave.suspects %}<dt>Also suspect</dt><dd>{{ s }}</dd>{% endfor %}
{% for n in wave.notes %}<dt>Note</dt><dd>{{ n }}</dd>{% endfor %}</dl>
{% if plots %}<div class="plots">{% for title, plot in plots %}
<figure><figcaption>{{ title }}</figcaption>{{ plot }}</figure>{% endfor %}</div>{% endif %}
{% if wave.curves | length > plots | length %}{% set left = wave.curves | length - plots | length %}<p>{{ many(left, "more curve") }} {{ "is" if left == 1 else "are" }} not drawn</p>
{% endif %}{% for t in parts %}{{ table(t, 3) }}{% endfor %}
{% if graph %}<figure><figcaption>Connections that change</figcaption>{{ graph }}</figure>{% endif %}
</section>
{% endfor %}
{{ table(timeline, 2) }}
{% if cells %}<section><h2>What changed</h2>
{% for cell in cells %}{% for o in cell.objects %}<h3>{{ cell.title }}: {{ o.action }} {{ o.object }}</h3>
{% if o.file or o.commit %}<p>{{ o.file }}{{ "; " if o.file and o.commit }}{{ o.commit }}</p>{% endif %}
<pre tabindex="0">{% for line in o.diff.split("\n") %}
{% if line.startswith("+") %}<span class="added">{{ line }}</span>{% elif line.startswith("-") %}
<span class="taken">{{ line }}</span>{% else %}{{ line }}{% endif %}

{% endfor %}</pre>
{% endfor %}{% endfor %}</section>{% endif %}
</main>
</body>
</html>
"""


def page(view: RolloutView) -> str:
    """The whole file."""
    whole = template(TEMPLATE).render(
        view=view,
        many=many,
        facts=tables.facts(view, brief=bool(view.explained)),
        namespaces=tables.namespaces(view),
        timeline=tables.timeline(view.moments),
        waves=[_wave(w) for w in view.waves if w.verdict != "Pending" or w.attempts or w.links],
        cells=[c for w in view.waves for c in w.cells if c.objects],
    )
    return visible(whole)


def _wave(wave: WaveView) -> tuple[WaveView, list[tuple[str, Markup]], Markup, list[tables.Table]]:
    plots = [
        (f"{curve.metric} in {curve.namespace}", Markup(curve_svg(curve, wave.marks, str(wave.number))))
        for curve in wave.curves[:MOST_CURVES]
    ]
    graph = Markup(links_svg(wave.links, str(wave.number))) if wave.links else Markup("")
    return wave, plots, graph, [tables.metrics(wave), tables.probes(wave), tables.connections(wave)]
