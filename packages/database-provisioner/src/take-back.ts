import { type DatabaseContent, type DatabaseSummary, ProviderError } from "@keyloan/contract";
import type { TransferEnd } from "./transfer-failure.ts";

type CopyToTakeBack = {
  readonly content: DatabaseContent;
  readonly to: TransferEnd;
  /** The owner of the copy, as given when it was loaded. */
  readonly owner: string;
  /** Given if the copy was proven complete: if it is no longer as it was proven, somebody works with it already. */
  readonly whole?: {
    readonly isAsProven: (summary: DatabaseSummary) => boolean;
    /** Resolves once it is recorded that a part of the copy may be gone from now on. */
    readonly beforeTaking: () => Promise<void>;
  };
};

/**
 * Removes our copy from a user's database. Removes only what the database itself notes as made by us: nothing, once the
 * copy was given to its user, whatever an older copy of our store says. A complete copy is removed only if it is still
 * as it was proven. Can be repeated after a crash at any moment.
 * @returns how many things are there that are not ours and stay
 * @throws ProviderError
 */
export async function takeBackCopy({ content, to, owner, whole }: CopyToTakeBack): Promise<{ kept: number }> {
  const { context, values } = to;
  if (whole !== undefined) {
    const summary = await content.summarize(context, values).catch(async (error: unknown) => {
      if (error instanceof ProviderError && !error.retryable) await content.settle(context, values, owner);
      throw error;
    });
    if (!whole.isAsProven(summary)) {
      await content.settle(context, values, owner);
      return { kept: summary.tables.length };
    }
    await whole.beforeTaking();
  }
  return { kept: await content.takeBack(context, values, owner) };
}
