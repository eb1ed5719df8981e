import { useSettings } from "../state/settings.tsx";
import { Notice } from "../ui/notice.tsx";
import { totalText } from "./moving-text.ts";
import { Receipts } from "./receipts.tsx";
import type { Transfers } from "./use-transfers.ts";

/** What was moved with the switch, and its receipt. */
export function MovedNote({ transfers }: { readonly transfers: Transfers }) {
  const { services } = useSettings();
  const moved = services.flatMap(({ id, label }) => {
    const transfer = transfers.movable?.find(({ connector }) => connector === id)?.transfer;
    return transfer?.state === "switched" ? [{ id, label, transfer }] : [];
  });
  if (moved.length === 0) return null;
  return (
    <Notice tone="plain" title="Your data was moved" actions={<Receipts />}>
      <ul>
        {moved.map(({ id, label, transfer }) => (
          <li key={id}>
            {label}: {totalText(transfer.kind, transfer.progress)}
          </li>
        ))}
      </ul>
      <p className="text-sm">
        The receipt shows what was moved, with a signature that anyone can check. It contains nothing secret.
      </p>
    </Notice>
  );
}
