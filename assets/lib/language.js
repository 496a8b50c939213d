// Formats numbers, dates and times in the language of the page (`data-language`), exactly as the server does
// (analytics/base/language.py), and translates words. The card inlines this file.
//
//   footfall.say("Copied")                          the text in the reader's language
//   footfall.say("{n} min", {n})                    with values; the text is a literal, so that `make words` finds it
//   footfall.say.plural("{n} page", "{n} pages", n) a number of things; {n} is the number, formatted
//
//   footfall.write.count(n)                  12,345
//   footfall.write.percent(whole)            27%, of 27
//   footfall.write.money(value, currency)    €29.00; the bare number without a currency
//   footfall.write.time(ms, zone, seconds)   14:32 or 2:32 PM, with seconds where `seconds` is true; zone: an IANA name
//   footfall.write.day(ms, zone)             Fri, 20 Nov 2026
//   footfall.write.age(ms)                   12 s or 3 min
//   footfall.write.country(code)             Germany, of DE; any other text stays as it is
//   footfall.write.halves(name)              a long name as [start, end], between which it is cut; a short one as [name]
(function () {
  "use strict";
  const formats = new Map();

  function format(kind, options) {
    const page = document.querySelector("[data-language]");
    const tag = (page ? page.dataset.language : "en-GB") + "-u-ca-gregory-nu-latn";  // every language uses the Gregorian calendar and Latin digits
    const key = tag + JSON.stringify(options);
    if (!formats.has(key)) formats.set(key, new Intl[kind](tag, options));
    return formats.get(key);
  }

  function dateTime(options, zone) {
    try {
      return format("DateTimeFormat", {...options, timeZone: zone});
    } catch {  // an older browser does not know the zone
      return format("DateTimeFormat", {...options, timeZone: "UTC"});
    }
  }

  // "always": in a few languages browsers would group only numbers of five digits and more, but the server groups from four
  const count = (n) => format("NumberFormat", {useGrouping: "always"}).format(n);
  const percent = (whole) => format("NumberFormat", {style: "percent"}).format(whole / 100);
  const time = (ms, zone, seconds) => dateTime({timeStyle: seconds ? "medium" : "short"}, zone).format(ms);
  const day = (ms, zone) => dateTime({weekday: "short", day: "numeric", month: "short", year: "numeric"}, zone).format(ms);

  function money(value, currency) {
    return format("NumberFormat", currency ? {style: "currency", currency} : {}).format(value);
  }

  function country(code) {
    if (!/^[A-Z]{2}$/.test(code)) return code;
    return format("DisplayNames", {type: "region", style: "short", fallback: "code"}).of(code);
  }

  // Names of pages differ in their ends, so these stay in sight: from a separator on where there is one.
  function halves(name) {
    const found = [...name].length > 32 && (/^(.{8,}?)([\s/.@?&=_-].{7,23})$/su.exec(name) || /^(.+)(.{20})$/su.exec(name));
    return found ? [found[1], found[2]] : [name];
  }

  // `words` and `plural` come from assets/words/, which only pages in another language than English load.
  const translated = (text) => (window.footfall.words || {})[text];
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const say = (text, values = {}) => fill(translated(text) || text, values);
  say.plural = (one, several, n, values = {}) => {
    const forms = translated(one), form = forms ? forms[window.footfall.plural(n)] : n === 1 ? one : several;
    return fill(form, {n: count(n), ...values});
  };

  function age(ms) {
    const seconds = Math.max(0, Math.round(ms / 1000));
    return seconds < 60 ? say("{n} s", {n: seconds}) : say("{n} min", {n: count(Math.floor(seconds / 60))});
  }

  window.footfall = {...window.footfall, say, write: {count, percent, money, time, day, age, country, halves}};
})();
