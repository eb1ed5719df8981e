import { type Attack, type Family, spoilIf } from "../attack.ts";
import type { Ground } from "../ground.ts";

/** Routes that tell or change something of one build, and those of the org. `BUILD` stands for the victim's. */
const routes = [
  "GET /v1/builds/BUILD",
  "GET /v1/builds/BUILD/env",
  "GET /v1/builds/BUILD/env?format=json&copies=aws",
  "POST /v1/builds/BUILD/renew",
  "DELETE /v1/builds/BUILD",
  "POST /v1/builds/BUILD/tokens",
  "GET /v1/builds/BUILD/tokens",
  "POST /v1/builds/BUILD/handoff",
  "GET /v1/builds/BUILD/sessions",
  "GET /v1/builds/BUILD/databases",
  "GET /v1/builds/BUILD/transfers",
  "POST /v1/builds/BUILD/transfers",
  "GET /v1/builds/BUILD/transfers/receipts",
  "POST /v1/builds/BUILD/revert",
  "GET /v1/builds",
  "GET /v1/leases",
  "GET /v1/jobs",
  "GET /v1/org-keys",
  "PUT /v1/org-keys/stripe",
  "POST /v1/tokens",
  "GET /v1/tokens",
  "GET /v1/audit",
  "GET /v1/audit/export",
  "POST /v1/audit/matches",
  "GET /metrics",
  "POST /v1/reconcile",
  "POST /v1/rollback/rehearsals",
  "POST /v1/root-key/rewrap",
  "GET /v1/settings",
  "GET /v1/settings/env-file",
] as const;

/** Who tries them: code in another build's sandbox, and whoever has nothing at all. */
const principals: Readonly<Record<string, (ground: Ground) => Promise<string | undefined>>> = {
  "build-token": async (ground) => (await ground.attacker()).token,
  nobody: async () => undefined,
};

export const foreignReads: Family = {
  name: "foreign-reads",
  on: "broker",
  attacks: Object.entries(principals).flatMap(([who, tokenOf]) =>
    routes.map((route): Attack<Ground> => {
      const [method = "", path = ""] = route.split(" ");
      const id = `${who}-${method.toLowerCase()}${path.replaceAll(/[^a-z]+/gi, "-")}`.toLowerCase();
      return { id, run: (ground) => tryRoute(ground, method, path, tokenOf) };
    }),
  ),
};

async function tryRoute(
  ground: Ground,
  method: string,
  path: string,
  tokenOf: (ground: Ground) => Promise<string | undefined>,
) {
  const victim = await ground.victim();
  const token = await tokenOf(ground);
  const answer = await ground.send(method, path.replace("BUILD", victim.id), {
    ...(token === undefined ? {} : { token }),
    ...(method === "GET" || method === "DELETE" ? {} : { body: {} }),
  });
  const leaked = victim.values.some((value) => answer.text.includes(value));
  return spoilIf(answer.status < 400 || leaked, `answered ${answer.status}`);
}
