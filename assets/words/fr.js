// Made by `make words` from analytics/base/catalogues/fr.po.
window.footfall = {...window.footfall, words: {}, plural: (n) => Number(n > 1)};
