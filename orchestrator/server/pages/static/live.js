// Keeps a page current without taking from the reader what is open or typed.
"use strict";
(() => {
  const calls = Idiomorph.defaults.callbacks;
  calls.beforeAttributeUpdated = (name, node) =>
    !((name === "open" && node.tagName === "DETAILS") || name === "data-state");
  calls.beforeNodeRemoved = (node) => !(node.classList && node.classList.contains("reading"));

  const beat = (state, text) => {
    for (const node of document.querySelectorAll("[data-beat]")) {
      node.dataset.state = state;
      node.textContent = text;
    }
  };
  let last = ["", ""];
  const say = (state, text) => { last = [state, text]; beat(state, text); };
  document.body.addEventListener("htmx:sseOpen", () => say("live", "live"));
  document.body.addEventListener("htmx:sseError", () => say("lost", "connection lost, trying again"));
  document.body.addEventListener("htmx:sendError", () => say("lost", "no answer, trying again"));
  document.body.addEventListener("htmx:afterSettle", () => beat(...last));

  // A link to a namespace's plan opens it.
  const reveal = () => {
    const found = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (found && found.tagName === "DETAILS") found.open = true;
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
