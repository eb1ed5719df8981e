import { Secret } from "@keyloan/contract";
import { exportSPKI, generateKeyPair, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { type ClerkSessionOptions, findClerkUser } from "./session.ts";

const origin = "https://app.example.com";
const issuer = "https://happy-fox-12.clerk.accounts.dev";
let privateKey: Parameters<SignJWT["sign"]>[0];
let otherKey: typeof privateKey;
let options: ClerkSessionOptions;

beforeAll(async () => {
  const pair = await generateKeyPair("RS256", { extractable: true });
  privateKey = pair.privateKey;
  otherKey = (await generateKeyPair("RS256")).privateKey;
  options = {
    publishableKey: `pk_test_${Buffer.from("happy-fox-12.clerk.accounts.dev$").toString("base64url")}`,
    secretKey: Secret.of(["sk", "test", "a".repeat(40)].join("_")),
    jwtKey: await exportSPKI(pair.publicKey),
    authorizedParties: [origin],
  };
});

async function token(
  claims: Record<string, unknown> = {},
  key = privateKey,
  lifetimeSeconds = 60,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ azp: origin, sid: "sess_1", sub: "user_1", iss: issuer, ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "ins_1", typ: "JWT" })
    .setIssuedAt(now - 1)
    .setNotBefore(now - 1)
    .setExpirationTime(now + lifetimeSeconds)
    .sign(key);
}
const ask = (headers: Record<string, string>) =>
  findClerkUser(new Request("https://keys.example.com/v1/session", { headers }), options);

describe("a Clerk session", () => {
  it("names its user", async () => {
    expect(await ask({ authorization: `Bearer ${await token()}` })).toBe("user_1");
  });

  it.each<[string, () => Promise<Record<string, string>>]>([
    ["nothing", async () => ({})],
    ["garbage", async () => ({ authorization: "Bearer garbage" })],
    [
      "a token of another app of the instance",
      async () => ({ authorization: `Bearer ${await token({ azp: "https://other.example" })}` }),
    ],
    [
      "a token that has expired",
      async () => ({ authorization: `Bearer ${await token({}, privateKey, -120)}` }),
    ],
    [
      "a token signed by somebody else",
      async () => ({ authorization: `Bearer ${await token({}, otherKey)}` }),
    ],
    [
      "somebody who acts as the user",
      async () => ({ authorization: `Bearer ${await token({ act: { sub: "user_2" } })}` }),
    ],
    ["a cookie alone", async () => ({ cookie: `__session=${await token()}; __client_uat=1` })],
  ])("is not accepted from %s", async (_what, headers) => {
    expect(await ask(await headers())).toBeUndefined();
  });
});
