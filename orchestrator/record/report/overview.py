"""Many rollouts as one HTML file: rates, latencies, how both went over time, and a table."""

from collections.abc import Sequence

from markupsafe import Markup

from orchestrator.record.drawings.trend import latency_svg, outcomes_svg
from orchestrator.record.report import listing
from orchestrator.record.report.html_frame import template
from orchestrator.record.summary import Entry, Summary

TEMPLATE = """{% from 'frame' import table, head %}
{{- head("Rollouts") }}
<main>
<h1>{{ rates }}</h1>
<dl>{% for title, text in latencies %}<dt>{{ title }}</dt><dd>{{ text }}</dd>{% endfor %}</dl>
<div class="plots">{% for title, plot in plots %}
<figure><figcaption>{{ title }}</figcaption>{{ plot }}</figure>{% endfor %}</div>
{{ table(over_time, 2) }}
{{ table(rollouts, 2) }}
</main>
</body>
</html>
"""


def overview(entries: Sequence[Entry], found: Summary) -> str:
    """The whole file; `found` is the summary of the entries."""
    plots = [
        ("Outcomes", outcomes_svg(found.buckets)),
        ("From commit to success", latency_svg(found.buckets, "lead")),
        ("From detection to restored", latency_svg(found.buckets, "restored")),
    ]
    return template(TEMPLATE).render(
        rates=listing.rates_text(found.rates),
        latencies=list(listing.latencies(found)),
        plots=[(title, Markup(plot)) for title, plot in plots],
        over_time=listing.over_time(found),
        rollouts=listing.rollouts(entries),
    )
