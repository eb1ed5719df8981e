import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { each, type Family, spoilIf } from "../attack.ts";
import type { Answer, Call } from "../client.ts";
import type { Ground } from "../ground.ts";

const requests = 400;
const inFlight = 16;
/** A minute's worth of one caller's refusals is a row or two; the count leaves room for what else goes on. */
const rowsMax = 40;
const stranger = () => `klo_bld_${randomBytes(32).toString("base64url")}`;

async function flood(run: (index: number) => Promise<Answer>): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next < requests) answers.push(await run(next++));
    }),
  );
  return answers;
}

async function lastSequence(ground: Ground): Promise<number> {
  const { json } = await ground.admin(200, "GET", "/v1/audit?limit=1");
  const { events = [] } = json as { events?: readonly { sequence: number }[] };
  return events[0]?.sequence ?? 0;
}

/** What a caller with some right asks again and again though it is refused each time. */
const refused: Readonly<
  Record<string, { readonly path: string; readonly call?: Call; readonly raw?: true }>
> = {
  "the-same-build": { path: "/v1/builds/bld_00000000000000000000/env" },
  "another-build-each-time": { path: "/v1/builds/bld_INDEX/env" },
  "no-id-at-all": { path: "/v1/builds/INDEX-INDEX/env" },
  "an-admins-route": { path: "/v1/audit" },
  "a-long-id": { path: `/v1/builds/${"x".repeat(2_000)}/env` },
  "a-new-request-id-each-time": { path: "/v1/tokens", call: { headers: { "x-request-id": "attack-INDEX" } } },
};

/** Who must get through while strangers knock. */
const welcome: Readonly<Record<string, (ground: Ground) => Promise<() => Promise<Answer>>>> = {
  "the-admin": async (ground) => () =>
    ground.sendOnce("GET", "/v1/builds?limit=1", { token: ground.adminToken }),
  "a-platform": async (ground) => {
    const token = await ground.apiToken("builds:read");
    return () => ground.sendOnce("GET", "/v1/builds?limit=1", { token });
  },
  "a-build": async (ground) => {
    const { id } = await ground.newBuild();
    const token = await ground.buildToken(id);
    return () => ground.sendOnce("GET", `/v1/builds/${id}/env`, { token });
  },
  "a-person": async (ground) => {
    const { id } = await ground.newBuild();
    const page = await ground.visit(id);
    const headers = { cookie: page.cookieHeader(), "x-keyloan-build": id };
    return () => ground.sendOnce("GET", "/v1/settings", { headers });
  },
  "a-link": async (ground) => {
    const { id } = await ground.newBuild();
    const code = await ground.newCode(id);
    return () =>
      ground.sendOnce("POST", "/v1/session", { body: { code }, headers: { "x-keyloan-session": "1" } });
  },
  health: async (ground) => () => ground.sendOnce("GET", "/health"),
  "the-page": async (ground) => () => ground.sendOnce("GET", "/settings"),
};

const knocks: Readonly<Record<string, (ground: Ground, index: number) => Promise<Answer>>> = {
  "bad-tokens": (ground) => ground.sendOnce("GET", "/v1/builds", { token: stranger() }),
  "bad-links": (ground) =>
    ground.sendOnce("POST", "/v1/session", {
      body: { code: `klo_hnd_${randomBytes(32).toString("base64url")}` },
      headers: { "x-keyloan-session": "1" },
    }),
};

export const floods: Family = {
  name: "floods",
  on: "broker",
  attacks: [
    ...each(refused, async (ground: Ground, { path, call }) => {
      const { token } = await ground.attacker();
      const before = await lastSequence(ground);
      await flood((index) =>
        ground.sendOnce("GET", path.replaceAll("INDEX", String(index).padStart(20, "0")), {
          token,
          ...call,
          headers: Object.fromEntries(
            Object.entries(call?.headers ?? {}).map(([name, value]) => [
              name,
              value.replace("INDEX", String(index)),
            ]),
          ),
        }),
      );
      const rows = (await lastSequence(ground)) - before;
      return spoilIf(rows > rowsMax, `${requests} refusals wrote ${rows} rows of audit`);
    }),
    ...Object.entries(knocks).flatMap(([how, knock]) =>
      each(welcome, async (ground: Ground, prepare) => {
        const knownCaller = await prepare(ground);
        await flood((index) => knock(ground, index));
        const answer = await knownCaller();
        return spoilIf(answer.status >= 400, `${how} lock out a known caller: ${answer.status}`);
      }).map(({ id, run }) => ({ id: `${how}-against-${id}`, run })),
    ),
    ...each(
      {
        "x-forwarded-for": (index: number) => ({ "x-forwarded-for": `198.51.100.${index % 250}` }),
        forwarded: (index: number) => ({ forwarded: `for=198.51.100.${index % 250}` }),
        "x-real-ip": (index: number) => ({ "x-real-ip": `198.51.100.${index % 250}` }),
        "two-hops": (index: number) => ({ "x-forwarded-for": `198.51.100.${index % 250}, 127.0.0.1` }),
      },
      async (ground: Ground, headersOf) => {
        const answers = await flood((index) =>
          ground.sendOnce("GET", "/v1/builds", { token: stranger(), headers: headersOf(index) }),
        );
        const limited = answers.some(({ status }) => status === 429);
        return spoilIf(!limited, `${requests} bad tokens under changing addresses were never limited`);
      },
    ).map(({ id, run }) => ({ id: `many-addresses-by-${id}`, run })),
    {
      id: "open-connections",
      run: async (ground) => {
        const { hostname, port } = new URL(ground.url);
        const sockets = Array.from({ length: 64 }, () => {
          const socket = connect(Number(port), hostname);
          socket.on("error", () => undefined);
          socket.write("GET /health HTTP/1.1\r\nhost: x\r\n");
          return socket;
        });
        try {
          const answer = await ground.sendOnce("GET", "/v1/builds?limit=1", { token: ground.adminToken });
          return spoilIf(answer.status !== 200, `64 open connections starve the admin: ${answer.status}`);
        } finally {
          for (const socket of sockets) socket.destroy();
        }
      },
    },
  ],
};
