import { describe, expect, test } from "vitest";
import { findImports } from "./find-imports.ts";
import { maskSource } from "./mask-source.ts";

// Keeps template placeholders out of this file's own strings.
const template = (text: string) => text.replaceAll("%{", "${");

describe("the mask", () => {
  test.each([
    { what: "line comments", source: "a // b 'c\nd", mask: "a        \nd" },
    { what: "block comments, keeping lines", source: "a /* b\n' */ c", mask: "a     \n     c" },
    {
      what: "strings with escaped quotes",
      source: String.raw`x = "a\"b" + 'c'`,
      mask: `x = "\0\0\0\0" + '\0'`,
    },
    { what: "a comment sign in a string", source: `"//" + y`, mask: `"\0\0" + y` },
    {
      what: "templates, but not the code in them",
      source: "`a%{b + `c`}d` + e",
      mask: "`\0%{b + `\0`}\0` + e",
    },
    { what: "braces of code inside a template", source: "`%{{ a: 1 }}x` + e", mask: "`%{{ a: 1 }}\0` + e" },
    {
      what: "regular expressions with quotes",
      source: `x = /["'/]/g + y`,
      mask: `x = /${"\0".repeat(5)}/g + y`,
    },
    { what: "no division", source: `a / b + "c/d"`, mask: `a / b + "\0\0\0"` },
    { what: "no division after a bracket", source: `f(a) / b / "c"`, mask: `f(a) / b / "\0"` },
    { what: "a regular expression after return", source: `return /"/`, mask: `return /\0/` },
    { what: "no apostrophe in JSX text", source: `<p>don't</p>\nf("x")`, mask: `<p>don't</p>\nf("\0")` },
  ])("covers $what", ({ source, mask }) => {
    expect(maskSource(template(source))).toBe(template(mask));
  });

  test("keeps every offset, whatever the source", () => {
    const source = template("const a = `x%{'y'}`; // z\n/* */ \"open\n'b' /r/ `unclosed %{");
    expect(maskSource(source)).toHaveLength(source.length);
  });
});

describe("imports found", () => {
  const find = (source: string) => findImports(source, maskSource(source));

  test.each([
    { form: `import a from "x";` },
    { form: `import * as a from 'x'` },
    { form: `import { a,\n  b as c } from "x";` },
    { form: `import a, { type b } from "x";` },
    { form: `export * from "x";` },
    { form: `export { a } from "x";` },
    { form: `import "x";` },
    { form: `const a = await import("x");` },
    { form: "const a = await import(`x`);" },
    { form: `const a = require("x");` },
    { form: `const a = require.resolve("x");` },
    { form: `const a = import.meta.resolve("x");` },
    { form: `const a = "b";\nimport type from "x";` },
  ])("$form", ({ form }) => {
    expect(find(form).map(({ specifier, isTypeOnly }) => [specifier, isTypeOnly])).toEqual([["x", false]]);
  });

  test.each([
    { form: `import type { A } from "x";` },
    { form: `import type * as A from "x";` },
    { form: `export type { A } from "x";` },
  ])("$form is known to vanish", ({ form }) => {
    expect(find(form)).toMatchObject([{ specifier: "x", isTypeOnly: true }]);
  });

  test("words that only look like an import are not taken for one", () => {
    const source =
      'const a = `import b from "x"`; // import "y"\nexport const from = "z"; f("import(\'w\')");';
    expect(find(source)).toEqual([]);
  });

  test("the line is that of the module's name", () => {
    expect(find(`\nimport {\n  a,\n} from "x";\n`)[0]?.line).toBe(4);
  });
});
