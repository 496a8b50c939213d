// The one observer of the document. Scripts say for which elements they are, and are called when such an element appears,
// changes or is removed:
//
//   footfall.watch("#clock", (node) => { begin(node); return () => end(node); })
//       for each such element that appears. What it returns, if anything, is called when the element has left the document
//   footfall.watch("#clock", (node) => show(node.dataset.at), "data-at", …)
//       for each that appears, and whenever one of these attributes is written
//   footfall.setProps(id, props)
//       new properties of a Dash component; nothing where it is not on the page
(function () {
  "use strict";
  /** @type {{selector: string, call: (node: any) => any, attributes: string[], nodes: Map<Element, any>}[]} */
  const watches = [];
  let observer = null;

  function meet(watch, node) {
    try { watch.nodes.set(node, watch.call(node)); } catch (why) { reportError(why); }  // the others are called all the same
  }

  function find(watch, root) {
    const found = [...root.querySelectorAll(watch.selector)];
    if (root.nodeType === Node.ELEMENT_NODE && root.matches(watch.selector)) found.unshift(root);
    for (const node of found) if (!watch.nodes.has(node)) meet(watch, node);
  }

  function removeGone(watch) {
    for (const [node, end] of watch.nodes) {
      if (node.isConnected) continue;
      watch.nodes.delete(node);
      if (typeof end === "function") end();
    }
  }

  /** @param {MutationRecord[]} changes */
  function onChange(changes) {
    const added = changes.flatMap((change) => [...change.addedNodes]).filter((node) => node.nodeType === Node.ELEMENT_NODE && node.isConnected);
    const isRemoved = changes.some((change) => change.removedNodes.length);
    for (const watch of watches) {
      if (isRemoved) removeGone(watch);
      for (const node of added) find(watch, node);
      const written = changes.filter(({attributeName}) => watch.attributes.includes(attributeName)).map(({target}) => target);
      for (const node of new Set(written)) if (watch.nodes.has(/** @type {Element} */ (node))) meet(watch, node);
    }
  }

  function observe() {
    observer = observer || new MutationObserver(onChange);
    observer.observe(document, {childList: true, subtree: true, attributes: true, attributeFilter: watches.flatMap((watch) => watch.attributes)});
  }

  function start() {
    observe();
    for (const watch of watches) find(watch, document);
  }

  function watch(selector, call, ...attributes) {
    watches.push({selector, call, attributes, nodes: new Map()});
    if (!observer) return;
    observe();
    find(watches[watches.length - 1], document);
  }

  function setProps(id, props) {
    try { window.dash_clientside.set_props(id, props); } catch { /* Dash throws for an id that is not on the page */ }
  }

  // Until then scripts are missing that the functions call.
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();

  window.footfall = {...window.footfall, watch, setProps};
})();
