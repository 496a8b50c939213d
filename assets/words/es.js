// Made by `make words` from analytics/base/catalogues/es.po.
window.footfall = {...window.footfall, words: {}, plural: (n) => Number(n !== 1)};
