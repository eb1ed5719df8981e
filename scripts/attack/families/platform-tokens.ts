import { type Attack, each, type Family, spoilIf } from "../attack.ts";
import type { Ground } from "../ground.ts";

const acts: Readonly<Record<string, { readonly path: string; readonly body?: object }>> = {
  "start-transfer": { path: "transfers", body: {} },
  "overwrite-in-transfer": { path: "transfers", body: { overwrite: true } },
  "resume-transfer": { path: "transfers/resume", body: {} },
  "overwrite-in-resume": { path: "transfers/resume", body: { overwrite: true } },
  "cancel-transfer": { path: "transfers/cancel", body: {} },
  revert: { path: "revert", body: {} },
};

const scopes = ["builds:read", "builds:write", "tokens:write"];

export const platformTokens: Family = {
  name: "platform-tokens",
  on: "broker",
  attacks: [
    ...scopes.flatMap((scope) =>
      Object.entries(acts).map(
        ([act, { path, body }]): Attack<Ground> => ({
          id: `${act}-with-${scope.replace(":", "-")}`,
          run: async (ground) => {
            const token = await ground.apiToken(scope);
            const { id } = await ground.victim();
            const answer = await ground.send("POST", `/v1/builds/${id}/${path}`, { token, body: body ?? {} });
            return spoilIf(answer.status !== 403, `answered ${answer.status}`);
          },
        }),
      ),
    ),
    ...each(
      { "with-a-new-link": "builds:write", "with-a-new-build-token": "tokens:write" },
      async (ground: Ground, scope) => readAfterFinish(ground, scope),
    ),
    {
      id: "read-a-users-value-that-the-preview-may-not-have",
      run: async (ground) => {
        const { id, values } = await ground.newBuild();
        const person = await ground.visit(id);
        await ground.save(person);
        const { version } = (await person.send("GET", "/v1/settings")).json;
        const body = { expectedVersion: version, preview: { "app-secrets": false } };
        const swapped = await person.send("POST", "/v1/settings/swap", { body });
        if (swapped.status !== 200) return `the switch failed: ${swapped.status} ${swapped.text}`;
        const token = await ground.buildToken(id);
        const answer = await ground.send("GET", `/v1/builds/${id}/env?format=json`, { token });
        const lent = Object.values(answer.json).every((value) => values.includes(String(value)));
        return spoilIf(answer.status === 200 && !lent, "the build reads a value of the user");
      },
    },
  ],
};

/** Takes a build to its end, and tries to get in again. */
async function readAfterFinish(ground: Ground, scope: string) {
  const { id } = await ground.newBuild();
  const person = await ground.visit(id);
  await ground.save(person);
  for (const step of ["swap", "finish"]) {
    const { version } = (await person.send("GET", "/v1/settings")).json;
    const answer = await person.send("POST", `/v1/settings/${step}`, { body: { expectedVersion: version } });
    if (answer.status !== 200) return `${step} failed: ${answer.status} ${answer.text}`;
  }
  const token = await ground.apiToken(scope);
  if (scope === "tokens:write") {
    const made = await ground.send("POST", `/v1/builds/${id}/tokens`, { token, body: {} });
    return spoilIf(made.status < 400, "a finished build gets a new token");
  }
  const made = await ground.send("POST", `/v1/builds/${id}/handoff`, { token, body: {} });
  if (made.status !== 201) return undefined;
  const code = new URL(String(made.json.url)).hash.replace("#code=", "");
  const opened = await ground.send("POST", "/v1/session", {
    body: { code },
    headers: { "x-keyloan-session": "1" },
  });
  return spoilIf(opened.status === 201, "a new link opens a finished build");
}
