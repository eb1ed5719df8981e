import type { Page } from "@keyloan/contract";

/** A page and, from its `Link` header, where the next one starts. The last page has the link with `results="false"`. */
export function readLink(items: unknown, headers: Headers): unknown {
  const links = (headers.get("link") ?? "").split(/,\s*(?=<)/);
  const link = links.find((each) => /rel="next"/.test(each) && /results="true"/.test(each));
  const next = /cursor="([^"]{1,200})"/.exec(link ?? "")?.[1];
  return { items, ...(next === undefined ? {} : { next }) };
}

/** The `Link` header of a page that a stand-in answers. */
export function writeLink({ next }: Page<unknown>, url: URL): string {
  const further = new URL(url);
  further.searchParams.set("cursor", next ?? "");
  return `<${further}>; rel="next"; results="${next !== undefined}"; cursor="${next ?? ""}"`;
}
