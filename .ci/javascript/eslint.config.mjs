// The rules for the scripts of assets/ and collector/. Names that nobody declares are TypeScript's to find (tsconfig.json).
import js from "@eslint/js";

const MARKUP = ["innerHTML", "outerHTML", "insertAdjacentHTML"];

export default [
  {ignores: ["**/*.min.js", ".venv/", "**/node_modules/", "docs/"]},
  js.configs.recommended,
  {
    languageOptions: {ecmaVersion: 2023, sourceType: "script"},
    linterOptions: {reportUnusedDisableDirectives: "error"},
    rules: {
      "no-undef": "off",
      "no-empty": ["error", {allowEmptyCatch: true}],
      "no-unused-vars": ["error", {args: "after-used"}],
      "eqeqeq": ["error", "always", {null: "ignore"}],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-var": "error",
      "prefer-const": ["error", {destructuring: "all"}],
      "no-throw-literal": "error",
      "no-restricted-properties": ["error", ...MARKUP.map((property) => ({property, message: "What a visitor may have made up is text."}))],
    },
  },
  // The site script counts its bytes, and compares what it has just made itself.
  {files: ["**/tracker/footfall.js"], rules: {eqeqeq: "off"}},
];
