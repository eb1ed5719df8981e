import { describe, expect, test } from "vitest";
import { parseXml, writeXml } from "./xml.ts";

describe("reading", () => {
  test("gives elements and text; prefixes, attributes, comments and CDATA are understood", () => {
    const text = `\ufeff<?xml version="1.0"?><!-- c --><s3:Delete xmlns:s3="x"><Object a="1"><Key>a&amp;&#x1F511;<![CDATA[<b>]]>&#13;</Key></Object><Quiet/></s3:Delete>`;
    expect(parseXml(text)).toEqual({
      name: "Delete",
      text: "",
      children: [
        { name: "Object", text: "", children: [{ name: "Key", text: "a&🔑<b>\r", children: [] }] },
        { name: "Quiet", text: "", children: [] },
      ],
    });
  });

  test.each([
    ["nothing", ""],
    ["text alone", "text"],
    ["an open element", "<a>"],
    ["a wrong end", "<a></b>"],
    ["two roots", "<a/><b/>"],
    ["text after the root", "<a/>x"],
    ["a document type", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
    ["an unknown entity", "<a>&x;</a>"],
    ["a bare ampersand", "<a>b & c</a>"],
    ["a reference to no character", "<a>&#xD800;</a>"],
    ["a reference to NUL", "<a>&#0;</a>"],
    ["an open comment", "<a><!-- x></a>"],
    ["open CDATA", "<a><![CDATA[x></a>"],
    ["a stray end of a tag", "<a><</a>"],
    ["depth without end", `${"<a>".repeat(50)}${"</a>".repeat(50)}`],
  ])("refuses %s", (_, text) => {
    expect(() => parseXml(text)).toThrow("well-formed");
  });

  // A search that starts anew at each opening would need minutes for these.
  test.each([
    ["openings of comments", "<!--x>", 300_000],
    ["ampersands", "&", 1_000_000],
    ["brackets", "<", 1_000_000],
  ])("refuses a long run of %s without searching it again and again", (_, part, count) => {
    expect(() => parseXml(`<a>${part.repeat(count)}`)).toThrow("well-formed");
  });
});

test("what is written reads back the same, control characters too", () => {
  const Key = `<&>"' \u0001\r\n\t\u0085\u2028\uffff🔑`;
  expect(parseXml(writeXml("R", { Key, List: ["1", "2"], None: undefined }))).toMatchObject({
    children: [{ text: Key }, { text: "1" }, { text: "2" }],
  });
});
