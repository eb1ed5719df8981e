import { randomBytes } from "node:crypto";
import { each, type Family, spoilIf } from "../attack.ts";
import type { Ground } from "../ground.ts";

const random = (bytes: number) => randomBytes(bytes).toString("base64url");

/** Texts that nobody was given. */
const tokens: Readonly<Record<string, (token: string) => string>> = {
  "old-form": () => `klo_bld_${random(32)}`,
  "new-form": () => `klo_bld_${random(32)}${random(6)}`,
  "check-of-another": (token) => `klo_bld_${random(32)}${token.slice(-8)}`,
  "without-its-check": (token) => token.slice(0, -8),
  "another-kind": (token) => token.replace("klo_bld_", "klo_api_"),
  "as-admin": (token) => token.replace("klo_bld_", "klo_admin_"),
  "upper-case": (token) => token.toUpperCase(),
  "one-bit-off": (token) => token.slice(0, 20) + (token[20] === "A" ? "B" : "A") + token.slice(21),
  "two-in-one": (token) => `${token},${token}`,
  long: (token) => token + "A".repeat(4_000),
  "percent-encoded": (token) => encodeURIComponent(token).replace("_", "%5F"),
};

const headers: Readonly<Record<string, (token: string) => Record<string, string>>> = {
  "token-in-a-cookie": (token) => ({ cookie: `keyloan_session=${token}; authorization=Bearer ${token}` }),
  "token-as-basic": (token) => ({ authorization: `Basic ${Buffer.from(`:${token}`).toString("base64")}` }),
  "admin-header": () => ({ "x-keyloan-admin": "1", "x-forwarded-user": "admin" }),
  "method-override": () => ({ "x-http-method-override": "GET", "x-original-url": "/v1/tokens" }),
};

export const madeUpCredentials: Family = {
  name: "made-up-credentials",
  on: "broker",
  attacks: [
    ...each(tokens, async (ground: Ground, change) => {
      const { id, token } = await ground.attacker();
      const made = change(token);
      const answer = await ground.send("GET", `/v1/builds/${id}/env`, { token: made });
      return spoilIf(made !== token && answer.status < 400, `answered ${answer.status}`);
    }),
    ...each(headers, async (ground: Ground, headersOf) => {
      const { id, token } = await ground.attacker();
      const answer = await ground.send("GET", `/v1/builds/${id}/env`, { headers: headersOf(token) });
      return spoilIf(answer.status < 400, `answered ${answer.status}`);
    }),
    {
      id: "a-revoked-token",
      run: async (ground) => {
        const { id } = await ground.attacker();
        const made = await ground.admin(201, "POST", `/v1/builds/${id}/tokens`, {});
        await ground.admin(204, "DELETE", `/v1/tokens/${made.json.id}`);
        const answer = await ground.send("GET", `/v1/builds/${id}/env`, { token: String(made.json.token) });
        return spoilIf(answer.status !== 401, `a revoked token answers ${answer.status}`);
      },
    },
    {
      id: "a-closed-builds-token",
      run: async (ground) => {
        const { id } = await ground.newBuild();
        const token = await ground.buildToken(id);
        await ground.admin(200, "DELETE", `/v1/builds/${id}?wait=20`);
        const answer = await ground.send("GET", `/v1/builds/${id}/env`, { token });
        return spoilIf(answer.status < 400, `a closed build answers ${answer.status}`);
      },
    },
  ],
};
