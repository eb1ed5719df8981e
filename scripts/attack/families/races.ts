import { each, type Family, spoilIf } from "../attack.ts";
import { type Answer, newBrowser } from "../client.ts";
import type { Ground } from "../ground.ts";

const atOnce = 8;
const count = (answers: readonly Answer[], status: number) =>
  answers.filter((answer) => answer.status === status).length;
const together = (run: (index: number) => Promise<Answer>) =>
  Promise.all(Array.from({ length: atOnce }, (_, index) => run(index)));

const races: Readonly<Record<string, (ground: Ground) => Promise<string | undefined>>> = {
  "one-link": async (ground) => {
    const { id } = await ground.newBuild();
    const code = await ground.newCode(id);
    const opened = await together(() =>
      newBrowser(ground.send).send("POST", "/v1/session", { body: { code } }),
    );
    return spoilIf(count(opened, 201) !== 1, `a link opened ${count(opened, 201)} times`);
  },
  "first-save": async (ground) => {
    const { id } = await ground.newBuild();
    const first = await ground.visit(id);
    const second = await ground.visit(id);
    const saves = await Promise.all([ground.save(first), ground.save(second)]);
    const winners = count(saves, 200);
    const views = await Promise.all([first, second].map((page) => page.send("GET", "/v1/settings")));
    const persons = views.filter(({ json }) => (json.person as { standing?: string })?.standing === "you");
    return spoilIf(
      winners !== 1 || persons.length !== 1,
      `${winners} saved, ${persons.length} are the person`,
    );
  },
  "single-use-token": async (ground) => {
    const { id } = await ground.newBuild();
    const token = await ground.buildToken(id, { singleUse: true });
    const reads = await together(() => ground.send("GET", `/v1/builds/${id}/env`, { token }));
    return spoilIf(count(reads, 200) !== 1, `a token for one use worked ${count(reads, 200)} times`);
  },
  "one-idempotency-key": async (ground) => {
    const key = `attack-${crypto.randomUUID()}`;
    const made = await together(() =>
      ground.send("POST", "/v1/builds?wait=20", {
        token: ground.adminToken,
        body: { name: "race", connectors: ["app-secrets"] },
        headers: { "idempotency-key": key },
      }),
    );
    const ids = new Set(made.map(({ json }) => json.id));
    return spoilIf(ids.size !== 1, `one key made ${ids.size} builds`);
  },
  "close-while-read": async (ground) => {
    const { id } = await ground.newBuild();
    const token = await ground.buildToken(id);
    await Promise.all([
      ground.send("DELETE", `/v1/builds/${id}?wait=20`, { token: ground.adminToken }),
      together(() => ground.send("GET", `/v1/builds/${id}/env`, { token })),
    ]);
    const after = await ground.send("GET", `/v1/builds/${id}/env`, { token });
    return spoilIf(after.status < 400, "a closed build's env is answered");
  },
  "switch-and-switch": async (ground) => {
    const { id } = await ground.newBuild();
    const person = await ground.visit(id);
    await ground.save(person);
    const { version } = (await person.send("GET", "/v1/settings")).json;
    const body = { expectedVersion: version };
    const swaps = await together(() => person.send("POST", "/v1/settings/swap", { body }));
    return spoilIf(count(swaps, 200) !== 1, `one version was switched ${count(swaps, 200)} times`);
  },
  "save-while-finishing": async (ground) => {
    const { id } = await ground.newBuild();
    const person = await ground.visit(id);
    await ground.save(person);
    const step = async (path: string) => {
      const { version } = (await person.send("GET", "/v1/settings")).json;
      return person.send("POST", path, { body: { expectedVersion: version } });
    };
    await step("/v1/settings/swap");
    const [finished, saved] = await Promise.all([step("/v1/settings/finish"), ground.save(person)]);
    return spoilIf(finished.status === 200 && saved.status === 200, "both were done on one version");
  },
};

export const raceFamily: Family = {
  name: "races",
  on: "broker",
  attacks: each(races, (ground: Ground, run) => run(ground)),
};
