import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist", "node_modules", "src/api/schema.d.ts"] },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked,
  {
    files: ["src/**/*.{ts,tsx}", "vite.config.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { "jsx-a11y": a11y, "react-hooks": hooks },
    rules: {
      ...a11y.configs.strict.rules,
      ...hooks.configs["recommended-latest"].rules,
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", { max: 120, skipBlankLines: true, skipComments: true }],
      // Numbers in a label are what a template string is for.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // The strict CSP and LAW 7, as rules: nothing parses markup, nothing is kept in the browser.
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "Text nodes only." },
        { property: "outerHTML", message: "Text nodes only." },
        { property: "insertAdjacentHTML", message: "Text nodes only." },
      ],
      "no-restricted-globals": [
        "error",
        { name: "localStorage", message: "No patient data outlives the page." },
        { name: "sessionStorage", message: "No patient data outlives the page." },
        { name: "indexedDB", message: "No patient data outlives the page." },
      ],
      "no-restricted-syntax": [
        "error",
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Text nodes only." },
        { selector: "AssignmentExpression[left.object.name='document'][left.property.name='title']", message: "No patient data in titles." },
      ],
    },
  },
  { files: ["**/*.js"], ...ts.configs.disableTypeChecked },
  {
    files: ["src/**/*.test.{ts,tsx}"],
    rules: { "max-lines-per-function": "off", "@typescript-eslint/no-non-null-assertion": "off" },
  },
);
