// Numbers without a stream: they are grey and say how old they are as soon as the server leaves a question unanswered.
//
//   [data-answered]    what an answer draws; each answer writes another value, "" before the first. Its `.ff-age` has the age
//   [data-ticks]       the intervals of a page that wait for their answer (`running`): Dash never ends a call that has failed
(function () {
  "use strict";
  const {setProps, watch} = window.footfall;
  const times = Object.assign({silent: 20000}, window.footfallTimes);  // without an answer for so long the server is away too
  const answers = new Map();  // by element: when the last answer came, and whether one was lost since

  function show(node, {at, isLost}) {
    const ms = Date.now() - at, isOld = isLost || ms > times.silent, label = node.querySelector(".ff-age");
    const words = isOld ? footfall.say("{age} ago", {age: footfall.write.age(ms)}) : "";
    node.classList.toggle("is-stale", isOld);
    if (label && label.textContent !== words) label.textContent = words;
  }

  const showAll = () => answers.forEach((answer, node) => show(node, answer));

  function onAnswer(node) {
    if (!node.dataset.answered) return undefined;
    answers.set(node, {at: Date.now(), isLost: false});
    show(node, answers.get(node));
    return () => answers.delete(node);
  }

  function onLoss() {
    for (const answer of answers.values()) answer.isLost = true;
    showAll();
  }

  watch("[data-answered]", onAnswer, "data-answered");
  window.addEventListener("offline", onLoss);
  window.addEventListener("footfall-unanswered", () => {
    onLoss();
    for (const {dataset} of document.querySelectorAll("[data-ticks]")) for (const id of dataset.ticks.split(" ")) setProps(id, {disabled: false});
  });
  setInterval(showAll, 1000);
})();
