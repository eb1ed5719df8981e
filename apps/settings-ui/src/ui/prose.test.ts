import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { OuterLink, Prose } from "./prose.tsx";

it.each(["https://[", "https://[::", "https://%zz", "https://"])(
  "an address that is none is text: %s",
  (address) => {
    expect(renderToStaticMarkup(Prose({ text: `See ${address} now.` }))).not.toContain("<a");
    expect(renderToStaticMarkup(OuterLink({ href: address }))).toContain(address.slice(0, 9));
  },
);

it("an address becomes a link that tells where it leads", () => {
  expect(renderToStaticMarkup(Prose({ text: "See https://example.com/a." }))).toMatch(
    /<a [^>]*href="https:\/\/example.com\/a"[^>]*>example\.com</,
  );
});
