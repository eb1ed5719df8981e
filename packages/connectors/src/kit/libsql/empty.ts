import { ProviderError } from "@keyloan/contract";
import { write } from "./database.ts";
import { countContent, dropOf, dropsAtOnce, listContent, removalOrder } from "./list-content.ts";
import type { LibsqlDatabase } from "./pipeline.ts";
import { tidyUp } from "./tidy-up.ts";

/**
 * Removes everything.
 * @throws ProviderError when something does not go
 */
export async function empty(database: LibsqlDatabase): Promise<void> {
  // A table behind an index goes with it, so the rest is looked up again each time.
  for (const type of removalOrder) {
    const found = (await listContent(database)).filter((one) => one.type === type);
    for (let index = 0; index < found.length; index += dropsAtOnce) {
      await write(database, found.slice(index, index + dropsAtOnce).map(dropOf));
    }
  }
  await tidyUp(database);
  if ((await countContent(database)) === 0) return;
  throw new ProviderError(
    database.provider,
    "invalid_response",
    "still has content after everything was removed",
  );
}
