import type { DemoBuild } from "./play-demo.ts";
import { must, type Step } from "./steps.ts";
import { databaseOf, describeAnswer, tryDatabase } from "./try-database.ts";
import { storageOf } from "./try-storage.ts";

/** Shows that what A got opens nothing of B's, after showing that it opens A's own. */
export async function proveIsolation(step: Step, a: DemoBuild, b: DemoBuild): Promise<void> {
  const [databaseA, databaseB] = [databaseOf(a.env), databaseOf(b.env)];
  await step(
    `${a.name}'s database token is refused on ${b.name}'s database`,
    async () => {
      must((await tryDatabase(databaseA)) === 200, "it does not open its own database");
      must((await tryDatabase(databaseB)) === 200, `${b.name}'s own token does not open its database`);
      const answer = await tryDatabase({ url: databaseB.url, token: databaseA.token });
      must(
        answer === 401 || answer === 403 || answer === 404,
        `it was not refused: ${describeAnswer(answer)}`,
      );
      return answer;
    },
    describeAnswer,
  );
  await step(
    `${a.name}'s storage key is refused on ${b.name}'s prefix`,
    () => tryForeignStorage(a, b),
    (answers) => `${Object.keys(answers).join(", ")} 403`,
  );
  await step(`${a.name}'s token is refused on ${b.name}'s env`, async () => {
    const status = await statusOf(() => a.sandbox.builds.env(b.view.id));
    must(status === 403 || status === 404, `it was not refused: answered ${status}`);
  });
}

async function tryForeignStorage(a: DemoBuild, b: DemoBuild): Promise<Readonly<Record<string, number>>> {
  const [own, other] = [storageOf(a.env), storageOf(b.env)];
  must(own.prefix !== "" && other.prefix !== "", "the env names no prefix");
  const key = `${other.prefix}demo.txt`;
  must((await own.put(`${own.prefix}demo.txt`)) === 200, "it cannot write under its own prefix");
  must((await other.put(key)) === 200, `${b.name}'s own key cannot write under its prefix`);
  const answers = {
    get: await own.get(key),
    put: await own.put(key),
    delete: await own.remove(key),
    list: await own.list(other.prefix),
  };
  must(
    Object.values(answers).every((status) => status === 403),
    `not all were refused: ${JSON.stringify(answers)}`,
  );
  must((await other.get(key)) === 200, `${b.name}'s file is gone`);
  return answers;
}

/** The HTTP status with which a call was refused; 200 when it was not. */
export async function statusOf(call: () => Promise<unknown>): Promise<number> {
  try {
    await call();
    return 200;
  } catch (error) {
    if (error instanceof Error && "status" in error && typeof error.status === "number") return error.status;
    throw error;
  }
}
