import { randomBytes } from "node:crypto";
import { newTokenBody, tokenFormKinds, writeToken } from "@keyloan/contract";
import { createDataKey, createRootKey, createTokenCheck, parseKeyring, ready } from "@keyloan/vault";
import { beforeAll, describe, expect, it } from "vitest";
import { createTokens, hashToken, type Tokens } from "./tokens.ts";

const adminToken = newTokenBody("admin", randomBytes);
let tokens: Tokens;
let foreign: Tokens;
beforeAll(async () => {
  await ready;
  const make = () => {
    const keyring = parseKeyring(createRootKey(randomBytes).line);
    const { key } = createDataKey(keyring, { id: "dek_1", ownerId: "org_1" });
    return createTokens({ check: createTokenCheck(key), adminTokenHash: hashToken(adminToken), randomBytes });
  };
  tokens = make();
  foreign = make();
});

const build = "bld_3k9abcdefghjkmnpqrst";
const made = tokenFormKinds.filter((kind) => kind !== "admin");

describe("texts of ours", () => {
  it.each(made)("are known again without the store: %s", (kind) => {
    const { token, hash } = tokens.make(kind, build);
    expect(tokens.read(token.reveal(), [kind])).toEqual({ kind, hash, isProven: true });
    expect(tokens.read(token.reveal(), ["admin"])).toBeUndefined();
  });

  it.each(made)("are told from made-up ones and those of another broker: %s", (kind) => {
    const { token } = tokens.make(kind, build);
    const last = token.reveal().toLowerCase().endsWith("a") ? "b" : "a";
    const texts = [
      writeToken(kind, newTokenBody(kind, randomBytes, build), "AAAAAAAA"),
      token.reveal().slice(0, -1) + last,
      foreign.make(kind, build).token.reveal(),
      `${token.reveal()} `,
    ];
    expect(texts.map((text) => tokens.read(text, tokenFormKinds))).toEqual(texts.map(() => undefined));
  });

  it("of the old form are not proven, and only the store knows them", () => {
    const text = newTokenBody("api", randomBytes);
    expect(tokens.read(text, ["api"])).toEqual({ kind: "api", hash: hashToken(text), isProven: false });
  });

  it("have one admin token, which is the operator's", () => {
    expect(tokens.read(adminToken, ["admin", "api"])).toMatchObject({ kind: "admin", isProven: true });
    expect(tokens.read(newTokenBody("admin", randomBytes), ["admin"])).toBeUndefined();
  });
});
