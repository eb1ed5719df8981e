import sodium from "libsodium-wrappers";
import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "./cipher.ts";
import { createSubmissionKeyPair, openSubmission } from "./sealed-submission.ts";

beforeAll(() => ready);

const seal = (publicKey: string, text: string) =>
  Buffer.from(
    sodium.crypto_box_seal(
      new TextEncoder().encode(text),
      Uint8Array.from(Buffer.from(publicKey, "base64url")),
    ),
  ).toString("base64url");

describe("a sealed submission", () => {
  it.each(["", "{}", "ключ 🔑", "x".repeat(60_000)])("opens with the session's key", (text) => {
    const pair = createSubmissionKeyPair();
    expect(openSubmission(pair, seal(pair.publicKey, text)).reveal()).toBe(text);
  });

  it("does not open with another session's key", () => {
    const pair = createSubmissionKeyPair();
    const sealed = seal(createSubmissionKeyPair().publicKey, "value");
    expect(() => openSubmission(pair, sealed)).toThrowError(expect.objectContaining({ code: "cannot_open" }));
  });

  it("does not open with any bit flipped", () => {
    const pair = createSubmissionKeyPair();
    const box = Buffer.from(seal(pair.publicKey, "v"), "base64url");
    const opened = Array.from({ length: box.length * 8 }, (_, bit) => {
      const altered = Buffer.from(box);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        return openSubmission(pair, altered.toString("base64url")).reveal();
      } catch {
        return undefined;
      }
    });
    expect(opened.filter((text) => text !== undefined)).toEqual([]);
  });

  it.each(["", "abc", "not base64!", "A".repeat(63)])("that is none is refused as such: %j", (sealed) => {
    expect(() => openSubmission(createSubmissionKeyPair(), sealed)).toThrowError(
      expect.objectContaining({ code: "malformed" }),
    );
  });

  it("prints no private key", () => {
    const pair = createSubmissionKeyPair();
    expect(JSON.stringify(pair)).not.toContain(pair.privateKey.reveal());
  });
});
