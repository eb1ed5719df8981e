import type { TestBroker } from "./create-test-broker.ts";
import { openPage, recoveryCodeOf, type TestPage } from "./open-page.ts";

/** A build of generated secrets alone whose person has saved, with their page and their recovery code. */
export async function savedBuild(
  broker: TestBroker,
): Promise<{ readonly id: string; readonly page: TestPage; readonly recovery: string }> {
  const { id } = await broker.createBuild({ connectors: ["app-secrets"], ttlSeconds: 604_800 });
  const page = await openPage(broker, id);
  return { id, page, recovery: recoveryCodeOf(await page.save("app-secrets", {})) };
}

/** Lets the app, and its preview, use everything that the person saved. */
export async function switchAll(page: TestPage): Promise<void> {
  const answer = await page.change("POST", "/v1/settings/swap", { preview: { "app-secrets": true } });
  if (answer.status !== 200) throw new Error(`no switch: ${answer.status} ${answer.text}`);
}
