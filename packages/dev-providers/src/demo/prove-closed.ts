import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "@keyloan/sdk";
import type { DemoBuild } from "./play-demo.ts";
import { statusOf } from "./prove-isolation.ts";
import { must, type Step } from "./steps.ts";
import { databaseOf, describeAnswer, isRefused, tryDatabase } from "./try-database.ts";
import { storageOf } from "./try-storage.ts";

const closeTimeoutMs = 20_000;

/** Closes A and shows what its credentials are worth then, and that B's go on working. */
export async function proveClosed(step: Step, admin: Client, a: DemoBuild, b: DemoBuild): Promise<void> {
  await step(`${a.name} is closed`, () => closeBuild(admin, a.view.id));
  await step(
    "its database token is dead",
    async () => {
      const answer = await tryDatabase(databaseOf(a.env));
      must(isRefused(answer), describeAnswer(answer));
      return answer;
    },
    describeAnswer,
  );
  await step(
    "its build token is dead",
    async () => {
      const status = await statusOf(() => a.sandbox.builds.env(a.view.id));
      must(status === 401, `answered ${status}`);
      return status;
    },
    (status) => `answered ${status}`,
  );
  await step(
    "nobody can read its env any more",
    async () => {
      const status = await statusOf(() => admin.builds.env(a.view.id));
      must(status === 401 || status === 404 || status === 409 || status === 410, `answered ${status}`);
      return status;
    },
    (status) => `answered ${status}`,
  );
  await step(
    "its storage key is dead",
    async () => {
      const storage = storageOf(a.env);
      const status = await storage.get(`${storage.prefix}demo.txt`);
      must(status === 401 || status === 403, `answered ${status}`);
      return status;
    },
    (status) => `answered ${status}`,
  );
  await step(`${b.name} goes on working`, async () => {
    must((await tryDatabase(databaseOf(b.env))) === 200, "its database does not answer");
    const storage = storageOf(b.env);
    must((await storage.get(`${storage.prefix}demo.txt`)) === 200, "its file is gone");
    must((await statusOf(() => b.sandbox.builds.env(b.view.id))) === 200, "its env is not readable");
  });
}

async function closeBuild(admin: Client, buildId: string): Promise<void> {
  let build = await admin.builds.close(buildId);
  const deadline = performance.now() + closeTimeoutMs;
  while (build.state !== "closed" && performance.now() < deadline) {
    await delay(100);
    build = await admin.builds.get(buildId);
  }
  must(build.state === "closed", `it is still ${build.state}`);
}
