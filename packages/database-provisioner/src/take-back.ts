import { type DatabaseContent, type DatabaseSummary, ProviderError } from "@keyloan/contract";
import type { TransferEnd } from "./transfer-failure.ts";

type CopyToTakeBack = {
  readonly content: DatabaseContent;
  readonly to: TransferEnd;
  /** Whose it is, as it was loaded. */
  readonly owner: string;
  /** Given when the copy was proven whole: what it must still be, or else somebody works with it already. */
  readonly whole?: {
    readonly isAsProven: (summary: DatabaseSummary) => boolean;
    /** Resolves when it is kept that a part of it may be gone from now on. */
    readonly beforeTaking: () => Promise<void>;
  };
};

/**
 * Takes our copy out of a user's database. Only what the database itself notes as made by us goes: nothing, once the copy
 * was given to its user, whatever an older copy of our store says. A whole copy goes only if it is still as it was
 * proven. It may be done again after a crash at any instant.
 * @returns how much is there that is not ours, and stays
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
