import { S3Error } from "./s3-error.ts";

/** Elements in order; an array becomes one element per entry; `undefined` becomes none. */
export type XmlContent = string | number | boolean | XmlFields;
export type XmlFields = { readonly [name: string]: XmlContent | readonly XmlContent[] | undefined };

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/** A complete document with the S3 namespace on its root. */
export function writeXml(root: string, content: XmlContent): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${namespace}">${writeContent(content)}</${root}>`;
}

/** The document of an error; it has no namespace. */
export function writeErrorXml(code: string, message: string, resource: string, requestId: string): string {
  const fields = { Code: code, Message: message, Resource: resource, RequestId: requestId };
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${writeFields(fields)}</Error>`;
}

function writeFields(fields: XmlFields): string {
  let text = "";
  for (const [name, content] of Object.entries(fields)) {
    const entries = Array.isArray(content) ? content : content === undefined ? [] : [content];
    for (const entry of entries) text += `<${name}>${writeContent(entry)}</${name}>`;
  }
  return text;
}

function writeContent(content: XmlContent): string {
  return typeof content === "object" ? writeFields(content) : escapeXml(String(content));
}

const named: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

// XML 1.0 does not allow control characters; S3 writes them as references anyway, and so do we.
function escapeXml(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must be escaped
    /[&<>"\u0000-\u001f\u007f-\u009f\u2028\ufffe\uffff]/g,
    (character) => named[character] ?? `&#x${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()};`,
  );
}

export type XmlElement = {
  readonly name: string;
  readonly children: readonly XmlElement[];
  readonly text: string;
};

type OpenElement = { readonly name: string; readonly children: XmlElement[]; text: string };

const depthMax = 8;
const token = /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<\/?[^<>]*>|[^<]+/gy;

/**
 * Parses a request document into elements and text. Attributes and prefixes are dropped; document types,
 * which could declare entities, are refused.
 * @throws S3Error `MalformedXML`
 */
export function parseXml(text: string): XmlElement {
  const top: OpenElement = { name: "", children: [], text: "" };
  const open: OpenElement[] = [top];
  let end = 0;
  for (const [part] of text.replace(/^\ufeff/, "").matchAll(token)) {
    end += part.length;
    const current = open.at(-1) ?? top;
    if (isAside(part)) continue;
    if (part.startsWith("<![CDATA[") && part.endsWith("]]>")) current.text += part.slice(9, -3);
    else if (part.startsWith("<!") || part.startsWith("<?")) throw malformed();
    else if (part.startsWith("</")) closeElement(open, elementName(part.slice(2, -1)));
    else if (part.startsWith("<")) openElement(open, part);
    else current.text += unescapeXml(part);
  }
  const root = top.children[0];
  const complete = end === text.replace(/^\ufeff/, "").length && open.length === 1;
  if (root === undefined || !complete || top.children.length !== 1 || top.text.trim() !== "")
    throw malformed();
  return root;
}

/** The text of the first child with this name. */
export function childText(element: XmlElement, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text;
}

export const malformed = () => new S3Error("MalformedXML", "The XML of the request is not well-formed.");

const isAside = (part: string) =>
  (part.startsWith("<!--") && part.endsWith("-->") && part.length >= 7) ||
  (part.startsWith("<?") && part.endsWith("?>") && part.length >= 4);

function openElement(open: OpenElement[], tag: string): void {
  const closed = tag.endsWith("/>");
  const element: OpenElement = {
    name: elementName(tag.slice(1, closed ? -2 : -1)),
    children: [],
    text: "",
  };
  if (open.length > depthMax) throw malformed();
  open.at(-1)?.children.push(element);
  if (!closed) open.push(element);
}

function closeElement(open: OpenElement[], name: string): void {
  if (open.length < 2 || open.pop()?.name !== name) throw malformed();
}

function elementName(tag: string): string {
  const found = /^(?:[\w.-]+:)?([A-Za-z_][\w.-]*)(?:\s[\s\S]*)?$/.exec(tag)?.[1];
  if (found === undefined) throw malformed();
  return found;
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

// An XML parser must read every literal line end as one \n; only a reference can produce \r.
function unescapeXml(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/&([^;]{0,12});?/g, (whole, name: string) => {
    const found = entities[name] ?? fromReference(name);
    if (found === undefined || !whole.endsWith(";")) throw malformed();
    return found;
  });
}

function fromReference(name: string): string | undefined {
  const digits = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
  if (digits === null) return undefined;
  const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
  const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : undefined;
}
