// How numbers, dates and times are written: in the language that the page names (`data-language`), as the server writes
// them (analytics/base/language.py). The card has this file inlined.
//
//   footfallWrite.count(n)                  12,345
//   footfallWrite.percent(whole)            27%, of 27
//   footfallWrite.money(value, currency)    €29.00; the bare number without a currency
//   footfallWrite.time(ms, zone, seconds)   14:32 or 2:32 PM, with seconds where `seconds` is true; zone: an IANA name
//   footfallWrite.day(ms, zone)             Fri, 20 Nov 2026
(function () {
  "use strict";
  const formats = new Map();

  function format(kind, options) {
    const page = document.querySelector("[data-language]");
    const tag = (page ? page.dataset.language : "en-GB") + "-u-ca-gregory-nu-latn";  // on every page the same days and digits
    const key = tag + JSON.stringify(options);
    if (!formats.has(key)) formats.set(key, new Intl[kind](tag, options));
    return formats.get(key);
  }

  function moment(options, zone) {
    try {
      return format("DateTimeFormat", {...options, timeZone: zone});
    } catch {  // this browser does not know the zone (yet)
      return format("DateTimeFormat", {...options, timeZone: "UTC"});
    }
  }

  // "always": in a few languages browsers group from five digits on, the server from four
  const count = (n) => format("NumberFormat", {useGrouping: "always"}).format(n);
  const percent = (whole) => format("NumberFormat", {style: "percent"}).format(whole / 100);
  const time = (ms, zone, seconds) => moment({timeStyle: seconds ? "medium" : "short"}, zone).format(ms);
  const day = (ms, zone) => moment({weekday: "short", day: "numeric", month: "short", year: "numeric"}, zone).format(ms);

  function money(value, currency) {
    return format("NumberFormat", currency ? {style: "currency", currency} : {}).format(value);
  }

  window.footfallWrite = {count, percent, money, time, day};
})();
