// Made by `make words` from analytics/base/catalogues/de.po.
window.footfall = {...window.footfall, words: {}, plural: (n) => Number(n !== 1)};
