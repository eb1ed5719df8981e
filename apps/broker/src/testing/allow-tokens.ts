import { newId, type TokenPermission } from "@keyloan/contract";
import type { TestBroker } from "./create-test-broker.ts";

/** Lets the person of a build, who becomes one when there is none, allow tokens this and nothing else. */
export async function allowTokens(
  broker: TestBroker,
  buildId: string,
  ...allows: readonly TokenPermission[]
): Promise<void> {
  const { store, randomBytes, now } = broker.running().deps;
  await store.write([], async (tables) => {
    const person = await tables.persons.findByBuild(buildId);
    if (person !== undefined) return tables.persons.allow(person.id, allows);
    const id = newId("person", randomBytes);
    const none = { identity: null, endedAt: null, ending: null };
    await tables.persons.insert({ ...none, id, buildId, recoveryHash: id, allows, createdAt: now() });
  });
}
