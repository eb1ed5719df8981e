import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { OuterLink, Prose } from "./prose.tsx";

it.each(["https://[", "https://[::", "https://%zz", "https://"])(
  "an address that is none is text: %s",
  (address) => {
    expect(renderToStaticMarkup(createElement(Prose, { text: `See ${address} now.` }))).not.toContain("<a");
    expect(renderToStaticMarkup(createElement(OuterLink, { href: address }))).toContain(address.slice(0, 9));
  },
);

it.each([
  `the file "https://evil.example/type-your-code" is there already`,
  `the file "a\\" https://evil.example" is there already`,
])("a name in quotation marks is somebody's own, and no link: %s", (text) => {
  expect(renderToStaticMarkup(createElement(Prose, { text }))).not.toContain("<a");
});

it("an address becomes a link that tells where it leads", () => {
  expect(renderToStaticMarkup(createElement(Prose, { text: "See https://example.com/a." }))).toMatch(
    /<a [^>]*href="https:\/\/example.com\/a"[^>]*>example\.com</,
  );
});
