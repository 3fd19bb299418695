// Makes the map larger and smaller, and lets the connections of the place that is pointed at or focused stand out.
"use strict";
(() => {
  const LEAST = 0.6; // of its size, at which it can still be read
  const map = document.querySelector(".mapped");
  if (!map) return;
  const picture = map.querySelector("svg"), natural = Number(picture.getAttribute("width"));
  const sizes = document.querySelector(".zooms");
  const zoom = (size) => {
    picture.style.width = size ? `${natural * size}px` : "100%";
    for (const button of sizes.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(Number(button.dataset.zoom) === size));
  };
  sizes.hidden = false;
  const room = map.clientWidth / natural;
  if (room < 1 && room > LEAST) zoom(0);
  sizes.addEventListener("click", (event) => {
    if (event.target.dataset.zoom) zoom(Number(event.target.dataset.zoom));
  });

  const show = (event) => {
    const found = event.target.closest("[data-place]");
    const place = found && event.type !== "focusout" && event.type !== "pointerout" ? found.dataset.place : null;
    map.classList.toggle("picked", place !== null);
    for (const way of map.querySelectorAll(".way"))
      way.classList.toggle("lit", way.dataset.from === place || way.dataset.to === place);
  };
  for (const kind of ["focusin", "focusout", "pointerover", "pointerout"]) map.addEventListener(kind, show);
})();
