"""A rollout's report as one HTML file: nothing in it is loaded from elsewhere, nothing runs; light, dark, printable."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from orchestrator.record import tables
from orchestrator.record.graph import links_svg
from orchestrator.record.look import PLOT_CSS
from orchestrator.record.plot import curve_svg
from orchestrator.record.view import RolloutView, WaveView

MOST_CURVES = 40
STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem; color: CanvasText;
  background: Canvas; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { margin-top: 2rem; border-bottom: 1px solid #8886; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .2rem 1rem; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; min-width: 44rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid #8884;
  overflow-wrap: break-word; max-width: 30rem; }
.bad { font-weight: 700; } .added { color: #1b7f3b; } .taken { color: #b3261e; }
@media (prefers-color-scheme: dark) { .added { color: #6fd08c; } .taken { color: #ff8a80; } }
pre { overflow-x: auto; font-size: .85rem; background: #8881; padding: .6rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { font-weight: 600; overflow-wrap: anywhere; }
.why { border-left: 4px solid #b3261e; padding-left: 1rem; }
@media (max-width: 40rem) { dl { grid-template-columns: minmax(0, 1fr); } dt { margin-top: .4rem; } }
@media print { body { max-width: none; } details { display: block; } h2 { break-after: avoid; } }
""".strip()
BAD = ("Failed", "Error", "Inconclusive", "no", "bad")
TEMPLATE = r"""
{%- macro table(t, level) %}{% if t.rows %}
<h{{ level }}>{{ t.title }}</h{{ level }}>
<div class="wide" tabindex="0" role="region" aria-label="{{ t.title }}"><table>
<thead><tr>{% for c in t.columns %}<th scope="col">{{ c }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in t.rows %}<tr>{% for c in row %}<td{% if c in bad %} class="bad"{% endif %}>{{ c }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
{% if t.more %}<p>and {{ t.more }} more; the JSON report has all</p>{% endif %}
{% endif %}{% endmacro -%}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Rollout {{ view.name }}: {{ view.phase }}</title>
<style>
{{ style }}
</style>
</head>
<body>
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
<dt>Controls</dt><dd>{{ wave.controls | join(", ") or "none" }}</dd>
{% for a in wave.alarms %}<dt>Alarm</dt><dd>{{ a }}</dd>{% endfor %}
{% for s in wave.suspects %}<dt>Also suspect</dt><dd>{{ s }}</dd>{% endfor %}
{% for n in wave.notes %}<dt>Note</dt><dd>{{ n }}</dd>{% endfor %}</dl>
{% if plots %}<div class="plots">{% for title, plot in plots %}
<figure><figcaption>{{ title }}</figcaption>{{ plot }}</figure>{% endfor %}</div>{% endif %}
{% if wave.curves | length > plots | length %}<p>{{ wave.curves | length - plots | length }} more curves are not drawn</p>
{% endif %}{% for t in parts %}{{ table(t, 3) }}{% endfor %}
{% if graph %}<figure><figcaption>Connections that change</figcaption>{{ graph }}</figure>{% endif %}
</section>
{% endfor %}
{{ table(timeline, 2) }}
{% if cells %}<section><h2>What changed</h2>
{% for cell in cells %}{% for o in cell.objects %}<h3>{{ cell.namespace }}: {{ o.action }} {{ o.object }}</h3>
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


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(TEMPLATE)


def page(view: RolloutView) -> str:
    """The whole file."""
    return _template().render(
        view=view,
        bad=BAD,
        facts=tables.facts(view, brief=bool(view.explained)),
        namespaces=tables.namespaces(view),
        timeline=tables.timeline(view.moments),
        waves=[_wave(w) for w in view.waves if w.verdict != "Pending" or w.attempts or w.links],
        cells=[c for w in view.waves for c in w.cells if c.objects],
        style=Markup(f"{STYLE}\n{PLOT_CSS}"),
    )


def _wave(wave: WaveView) -> tuple[WaveView, list[tuple[str, Markup]], Markup, list[tables.Table]]:
    plots = [
        (f"{curve.metric} in {curve.namespace}", Markup(curve_svg(curve, wave.marks)))
        for curve in wave.curves[:MOST_CURVES]
    ]
    graph = Markup(links_svg(wave.links)) if wave.links else Markup("")
    return wave, plots, graph, [tables.metrics(wave), tables.probes(wave), tables.connections(wave)]
