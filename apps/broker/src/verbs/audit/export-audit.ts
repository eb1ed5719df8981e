import type { AuditExportLine } from "@keyloan/contract";
import { type AuditEventRow, type AuditSeal, isGenuine } from "@keyloan/store";
import { type By, recordAudit } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { parseDetails } from "./list-audit.ts";

const pageRows = 100;

/**
 * The audit from after a row on, oldest first, as JSON lines; it ends with the row that tells of this export. A
 * page is read when the one before was taken, so a slow reader costs no memory.
 */
export async function exportAudit(deps: Deps, by: By, after: number): Promise<ReadableStream<Uint8Array>> {
  const details = { after };
  await recordAudit(deps, { ...by, action: "audit.exported", entity: "audit", details });
  const through = (await deps.store.read.auditEvents.findLast())?.sequence ?? 0;
  const seal = deps.store.auditSeal();
  let at = after;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const rows = at < through ? await deps.store.read.auditEvents.pageAfter(at, pageRows) : [];
        const page = rows.filter(({ sequence }) => sequence <= through);
        const last = page.at(-1);
        if (last === undefined) return controller.close();
        at = last.sequence;
        controller.enqueue(
          Buffer.from(page.map((row) => `${JSON.stringify(exportLine(row, seal))}\n`).join("")),
        );
      },
    },
    { highWaterMark: 0 },
  );
}

function exportLine(row: AuditEventRow, seal: AuditSeal | undefined): AuditExportLine {
  const { sequence, id, at, actor, action, entity, details, requestId, previousHash, hash } = row;
  return {
    sequence,
    id,
    at: isoTime(at),
    actor,
    action,
    entity,
    details: parseDetails(details),
    requestId,
    previousHash,
    hash,
    ...(isGenuine(row, seal) ? {} : { altered: true }),
  };
}
