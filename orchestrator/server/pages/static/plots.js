// Draws each curve over its still picture, so that it answers to a pointer.
"use strict";
const drawCurves = (() => {
  const drawn = new Map();
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const MARKS = { applied: "--run", detected: "--bad", restored: "--undone", promoted: "--good" };

  const figure = (value) => (value == null ? "" : Number(value.toPrecision(3)).toString());

  const series = (label, colour, more) => ({
    label, stroke: ink(colour), value: (plot, value) => figure(value), points: { size: 7, fill: ink(colour) }, ...more,
  });

  const lines = (facts) => (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.lineWidth = devicePixelRatio;
    for (const limit of [facts.minimum, facts.maximum]) {
      if (limit == null) continue;
      const y = Math.round(plot.valToPos(limit, "y", true));
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.strokeStyle = ink("--bad");
      ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath(); ctx.moveTo(bbox.left, y); ctx.lineTo(bbox.left + bbox.width, y); ctx.stroke();
    }
    ctx.font = `${11 * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;
    facts.marks.forEach((mark, number) => {
      const x = Math.round(plot.valToPos(mark.time, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width) return;
      ctx.strokeStyle = ctx.fillStyle = ink(MARKS[mark.kind] || "--muted");
      ctx.setLineDash(mark.kind === "detected" ? [] : [2 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath(); ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke();
      const right = x > bbox.left + bbox.width * 0.7;
      ctx.textAlign = right ? "right" : "left";
      ctx.fillText(mark.kind, x + (right ? -4 : 4) * devicePixelRatio, bbox.top + (11 + 12 * (number % 3)) * devicePixelRatio);
    });
    ctx.restore();
  };

  const range = (facts) => (plot, low, high) => {
    const values = [low, high, facts.maximum, facts.minimum].filter((value) => value != null);
    const bottom = Math.min(0, ...values), top = Math.max(...values, bottom + 1e-9);
    return [bottom, top + (top - bottom) * 0.15 || 1];
  };

  const draw = (node, facts) => {
    const old = drawn.get(node.id);
    if (old) { old.plot.destroy(); old.host.remove(); }
    const host = document.createElement("div");
    host.className = "host";
    host.setAttribute("aria-hidden", "true"); // the still picture says the same to a screen reader
    node.querySelector(".still").after(host);
    node.dataset.drawn = "";
    const grid = { stroke: ink("--line"), width: 1 };
    const axis = { stroke: ink("--muted"), grid, ticks: { show: false }, font: "11px system-ui", gap: 3 };
    const times = [...facts.time, ...facts.marks.map((mark) => mark.time)];
    const span = [Math.min(...times), Math.max(...times)], pad = Math.max((span[1] - span[0]) * 0.06, 5);
    const plot = new uPlot({
      width: Math.max(host.clientWidth, 200), height: 130, padding: [6, 26, 0, 0],
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: true, range: [span[0] - pad, span[1] + pad] }, y: { range: range(facts) } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      axes: [{ ...axis, size: 22, space: 60, values: "{HH}:{mm}:{ss}" }, { ...axis, size: 44, values: (p, all) => all.map(figure) }],
      series: [
        { label: "time", value: (p, value) => (value == null ? "–" : new Date(value * 1000).toISOString().slice(11, 19)) },
        series("canary", "--accent", { width: 2 }),
        series("control", "--muted", { width: 1.5, dash: [5, 3] }),
        series("baseline", "--wait", { width: 1, dash: [2, 3] }),
      ],
      hooks: { draw: [lines(facts)] },
    }, [facts.time, facts.canary, facts.control, facts.past], host);
    drawn.set(node.id, { plot, host, text: node.dataset.curve, width: host.clientWidth });
  };

  const all = (again) => {
    for (const node of document.querySelectorAll(".curve[data-curve]")) {
      const old = drawn.get(node.id);
      const visible = node.offsetParent !== null;
      if (!visible) continue;
      if (!again && old && old.text === node.dataset.curve && old.host.isConnected && old.width === old.host.clientWidth) continue;
      const facts = JSON.parse(node.dataset.curve);
      if (facts.time.length) draw(node, facts);
    }
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => all(true));
  addEventListener("resize", () => all(false));
  document.addEventListener("toggle", () => all(false), true);
  all(false);
  return () => all(false);
})();
