import { ProviderError } from "@keyloan/contract";
import { write } from "./database.ts";
import { countContent, dropOf, dropsAtOnce, listContent, removalOrder } from "./list-content.ts";
import type { LibsqlDatabase } from "./pipeline.ts";
import { tidyUp } from "./tidy-up.ts";

/**
 * Removes all content.
 * @throws ProviderError when something cannot be removed
 */
export async function empty(database: LibsqlDatabase): Promise<void> {
  // Removing an index also removes the tables behind it, so the content is listed again for each type.
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
