"""What every HTML file of the record has: its head, its stylesheet, its tables; nothing is loaded, nothing runs."""

from functools import cache

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from orchestrator.record.drawings.stylesheet import PLOT_CSS

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
FRAME = """
{%- macro table(t, level) %}{% if t.rows %}
<h{{ level }}>{{ t.title }}</h{{ level }}>
<div class="wide" tabindex="0" role="region" aria-label="{{ t.title }}"><table>
<thead><tr>{% for c in t.columns %}<th scope="col">{{ c }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in t.rows %}<tr>{% for c in row %}<td{% if c in bad %} class="bad"{% endif %}>{{ c }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
{% if t.more %}<p>and {{ t.more }} more; the JSON report has all</p>{% endif %}
{% endif %}{% endmacro %}
{% macro head(title) %}<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ title }}</title>
<style>
{{ style }}
</style>
</head>
<body>
{% endmacro %}
"""


@cache
def template(text: str) -> Template:
    """A page; it takes `table` and `head` from `frame`. Whatever is put in is escaped."""
    environment = Environment(
        loader=DictLoader({"frame": FRAME}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"style": Markup(f"{STYLE}\n{PLOT_CSS}"), "bad": BAD}
    return environment.from_string(text.strip() + "\n")
