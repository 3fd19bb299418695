"""How drawings look: one small stylesheet, light and dark, for pages and reports; without it they are readable, too."""

PLOT_CSS = """
.plot, .graph, .trend { display: block; width: 100%; max-width: 26rem; height: auto; }
.plot, .graph, .trend, .map { font: 11px system-ui, sans-serif; color: CanvasText; --seen: #0a58ca; --control: #6b6b6b; --past: #8a5a00; --limit: #b3261e; --good: #1b7f3b;
  --mark: #5b3fa8; --grid: #8884; }
@media (prefers-color-scheme: dark) { .plot, .graph, .trend, .map { --seen: #7cb7ff; --control: #b0b0b0; --past: #e0b05a;
  --limit: #ff8a80; --good: #6fd08c; --mark: #c3b1ff; } }
[data-theme="light"] :is(.plot, .graph, .trend, .map) { --seen: #0a58ca; --control: #6b6b6b; --past: #8a5a00;
  --limit: #b3261e; --good: #1b7f3b; --mark: #5b3fa8; }
[data-theme="dark"] :is(.plot, .graph, .trend, .map) { --seen: #7cb7ff; --control: #b0b0b0; --past: #e0b05a;
  --limit: #ff8a80; --good: #6fd08c; --mark: #c3b1ff; }
:is(.plot, .graph, .trend, .map) text { fill: currentColor; }
.p-grid { stroke: var(--grid); }
.p-seen { stroke: var(--seen); } .p-dot { fill: var(--seen); stroke: var(--seen); }
.p-control { stroke: var(--control); } .p-past { stroke: var(--past); }
.p-limit { stroke: var(--limit); } .p-zone { fill: var(--limit); } .p-bad { stroke: var(--limit); }
.p-mark { stroke: var(--mark); } :is(.plot, .graph, .trend, .map) .p-said { fill: var(--mark); }
.g-cut { stroke: var(--limit); } .g-opened { stroke: var(--good); } .g-narrowed { stroke: var(--past); } .g-widened { stroke: var(--good); }
.g-sign { paint-order: stroke; stroke: var(--ground, Canvas); stroke-width: 3px; } .p-thick { stroke: currentColor; }
.t-good { fill: var(--good); } .t-back { fill: var(--past); } .t-failed { fill: var(--limit); }
.t-other { fill: var(--control); } .t-stripe { stroke: var(--ground, Canvas); }
@media print { .plot, .graph, .trend, .map { break-inside: avoid; color: #000; } }
""".strip()
