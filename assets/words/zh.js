// Made by `make words` from analytics/base/catalogues/zh.po.
window.footfall = {...window.footfall, words: {}, plural: () => 0};
