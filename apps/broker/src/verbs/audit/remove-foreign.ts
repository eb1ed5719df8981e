import { isGenuine } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";

const pageRows = 100;
const removedAtOnce = 5_000;

/**
 * Removes the rows behind a head that no broker wrote, some at a time, each time audited.
 * @param isSealKnown false where it is lost from which row on rows have a MAC: one that has none is kept then
 * @returns how many
 */
export async function removeForeignRows(
  deps: Pick<Deps, "store" | "organizationId" | "change">,
  by: By,
  after: number,
  isSealKnown: boolean,
): Promise<number> {
  const { read, auditMemory, auditSeal } = deps.store;
  const seal = isSealKnown ? auditSeal() : undefined;
  const through = (await read.auditEvents.findLast())?.sequence ?? 0;
  let removed = 0;
  let found: number[] = [];
  const remove = async (): Promise<void> => {
    const [first] = found;
    if (first === undefined) return;
    const details = { rows: found.length, first, last: found.at(-1) };
    await deps.change(by, [deps.organizationId], async (tx) => {
      await tx.auditEvents.remove(found);
      tx.audit("audit.rows_removed", "audit", details);
    });
    removed += found.length;
    found = [];
  };
  for (let at = Math.min(after, (auditMemory().foreign ?? after + 1) - 1); ; ) {
    const page = await read.auditEvents.pageAfter(at, pageRows);
    const last = page.at(-1);
    if (last === undefined || at >= through) break;
    for (const row of page) if (row.sequence <= through && !isGenuine(row, seal)) found.push(row.sequence);
    at = last.sequence;
    if (found.length >= removedAtOnce) await remove();
    else await new Promise((resolve) => setImmediate(resolve));
  }
  await remove();
  return removed;
}
