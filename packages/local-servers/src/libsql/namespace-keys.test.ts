import { describe, expect, test } from "vitest";
import { createNamespaceKeys } from "./namespace-keys.ts";
import { createNamespaceKey, createNamespaceTokenSigner } from "./tokens.ts";

const [own, other] = [createNamespaceKey(), createNamespaceKey()];
const options = { namespace: "own", access: "read-write", tokenId: "test" } as const;
const signOwn = createNamespaceTokenSigner(own);

describe("a token", () => {
  test("counts when the namespace's key signed it, until a minute after its end", async () => {
    let now = 1_000_000_000_000;
    const keys = createNamespaceKeys(() => now);
    keys.set("own", own.publicKey);
    const token = await signOwn({ ...options, expiresAt: now + 10_000 });
    expect([keys.signed("own", token), keys.signed("own", await signOwn(options))]).toEqual([true, true]);
    now += 69_000;
    expect(keys.signed("own", token)).toBe(true);
    now += 2_000;
    expect([keys.signed("own", token), keys.signed("own", await signOwn(options))]).toEqual([false, true]);
  });

  test("of another key, of a key that was replaced, or of a namespace that is gone does not", async () => {
    const keys = createNamespaceKeys();
    const token = await signOwn(options);
    expect(keys.signed("own", token)).toBe(false);
    keys.set("own", own.publicKey);
    expect(keys.signed("own", await createNamespaceTokenSigner(other)(options))).toBe(false);
    expect([keys.signed("own", token), keys.signed("other", token)]).toEqual([true, false]);
    keys.set("own", other.publicKey);
    expect(keys.signed("own", token)).toBe(false);
    keys.set("own", own.publicKey);
    keys.set("own", undefined);
    expect(keys.signed("own", token)).toBe(false);
  });

  test.each(["a.b.c", "", "..", "a.b", "a.b.c.d", "x".repeat(100_000), `${"a".repeat(9_000)}.b.c`])(
    "that is none does not: %.20s",
    (token) => {
      const keys = createNamespaceKeys();
      keys.set("own", own.publicKey);
      expect(keys.signed("own", token)).toBe(false);
    },
  );

  test("with a changed part does not", async () => {
    const keys = createNamespaceKeys();
    keys.set("own", own.publicKey);
    const [head = "", payload = "", signature = ""] = (await signOwn(options)).split(".");
    const forged = Buffer.from(JSON.stringify({ p: { rw: { ns: ["other"] } } })).toString("base64url");
    expect(keys.signed("own", `${head}.${forged}.${signature}`)).toBe(false);
    expect(keys.signed("own", `${head}.${payload}.${"A".repeat(86)}`)).toBe(false);
    expect(keys.signed("own", `${head}.${payload}.${signature}`)).toBe(true);
  });
});
