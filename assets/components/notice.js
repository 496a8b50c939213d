// One notification, as toasts and lists show it: its pictogram, its words, and the links that lead on from it.
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const {drawing} = window.footfall_components, {h, icon} = drawing;

  const SIGNS = {"alert.firing": "alert", "alert.resolved": "check"};
  const sign = ({type, priority}) => h("span", {className: `ff-notice-i is-${type === "alert.resolved" ? "resolved" : priority}`}, icon(SIGNS[type] || "bell"));

  /** @type {Record<string, () => string>} */
  const PRIORITIES = {low: () => footfall.say("Low"), medium: () => footfall.say("Medium"), high: () => footfall.say("High"), urgent: () => footfall.say("Urgent")};
  /** @type {Record<string, () => string>} */
  const TYPES = {"notification.created": () => footfall.say("Events"), "alert.firing": () => footfall.say("Alerts"), "alert.resolved": () => footfall.say("Resolved")};

  /** @type {Record<string, () => string>} */
  const DIMENSIONS = {
    source: () => footfall.say("Source"), page: () => footfall.say("Page"), country: () => footfall.say("Country"),
    device: () => footfall.say("Device"), user_type: () => footfall.say("User type"),
  };
  const NONE = {source: () => footfall.say("Direct / None"), country: () => footfall.say("(unknown)"), device: () => footfall.say("(unknown)")};

  /** What an alert has seen: its value, the line that this has crossed, and what makes the greatest difference. */
  function seen({alert, value, threshold, why = []}) {
    const {count} = footfall.write, isCrossed = typeof value === "number" && typeof threshold === "number";
    const crossed = isCrossed ? [beyond(value, threshold, {value: count(value), line: count(threshold)})] : [];
    return alert ? [...crossed, ...why.slice(0, 1).map(difference)].join(" · ") : "";
  }

  function beyond(value, threshold, shown) {
    if (value > threshold) return footfall.say("{value} (above {line})", shown);
    return value < threshold ? footfall.say("{value} (below {line})", shown) : footfall.say("{value} (at the limit)", shown);
  }

  function difference({dimension, value, before, now}) {
    const {count, country} = footfall.write, none = NONE[dimension] || (() => footfall.say("(none)"));
    const shown = value ? (dimension === "country" ? country(value) : value) : none();
    return `${(DIMENSIONS[dimension] || (() => dimension))()}: ${shown} ${count(before)} → ${count(now)}`;
  }

  /** The lines of a notification. `basePath` begins the addresses of pages, `follow` is called with its id when a link is followed. */
  function words(notice, basePath, follow) {
    const way = (address, label) => h("a", {
      className: "ff-link", href: address.startsWith("/") ? basePath + address : address, rel: "noreferrer",
      ...(/^https?:/.test(address) ? {target: "_blank"} : {}), onClick: () => follow(notice.id),
    }, label);
    const many = notice.count > 1 && h("span", {className: "ff-badge"}, footfall.say.plural("+{n} more", "+{n} more", notice.count - 1));
    return [
      h("b", {key: "t", dir: "auto"}, h("span", {className: "ff-vh"}, `${(PRIORITIES[notice.priority] || PRIORITIES.medium)()}: `), notice.title, many && " ", many),
      notice.message && h("p", {key: "m", dir: "auto"}, notice.message),
      seen(notice) && h("p", {key: "v", dir: "auto"}, seen(notice)),
      h("small", {key: "s"}, h("bdi", {}, notice.site), " · ", h("time", {dateTime: new Date(notice.last * 1000).toISOString()}, drawing.ago(Date.now() / 1000 - notice.last))),
      h("span", {key: "l", className: "ff-notice-ways"},
        notice.link && way(notice.link, notice.link_label || footfall.say("Look")),
        notice.alert && way(`/alerts/${encodeURIComponent(notice.site)}/alert?id=${notice.alert}`, footfall.say("Alert"))),
    ];
  }

  window.footfall_components.notice = {sign, words, PRIORITIES, TYPES};
})();
