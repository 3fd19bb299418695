// Writes below a chart what the measurement nearest to the pointer says; the table of numbers says the same to all.
"use strict";
addEventListener("pointermove", (event) => {
  const chart = event.target.closest && event.target.closest(".curve .plot");
  if (!chart) return;
  const far = (dot) => {
    const box = dot.getBoundingClientRect();
    return Math.abs(box.left + box.width / 2 - event.clientX);
  };
  const dots = [...chart.querySelectorAll(":is(.p-dot, .p-bad):has(> title)")];
  if (!dots.length) return;
  const nearest = dots.reduce((best, dot) => (far(dot) < far(best) ? dot : best));
  let said = chart.parentNode.querySelector(".reading");
  if (!said) {
    said = document.createElement("p");
    said.className = "reading small muted";
    said.setAttribute("aria-hidden", "true");
    chart.after(said);
  }
  said.textContent = nearest.querySelector("title").textContent;
});
