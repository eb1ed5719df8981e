import { type BindingView, isolationGradeMeanings, type SavedKeys } from "@keyloan/contract";
import type { BindingRow, UserKeyRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { type Asked, defaultAnswers, previewUsesOwn } from "./preview-answers.ts";

/** Each service of an app as the settings page shows it: whose keys it uses, and masked what was saved. */
export function bindingViews(deps: Pick<Deps, "connectors">, asked: Asked): BindingView[] {
  const order = [...deps.connectors.keys()];
  const ordered = asked.bindings.toSorted(
    (a, b) => order.indexOf(a.connectorId) - order.indexOf(b.connectorId),
  );
  const defaults = defaultAnswers(asked);
  return ordered.flatMap((binding): BindingView[] => {
    const { connectorId, source, swappedAt } = binding;
    const spec = deps.connectors.get(connectorId)?.spec;
    if (spec === undefined) return [];
    const saved = asked.userKeys.find((row) => row.connectorId === connectorId);
    const grade = source === "user" ? "A" : spec.grade;
    const previewDefault = defaults.get(connectorId);
    return [
      {
        connector: connectorId,
        source,
        grade,
        gradeMeaning: isolationGradeMeanings[grade],
        ...(saved === undefined ? {} : { saved: savedView(saved) }),
        ...(swappedAt === null ? {} : { swappedAt: isoTime(swappedAt) }),
        ...(previewDefault === undefined ? {} : { previewDefault }),
        ...(source === "user" ? { preview: previewView(binding) } : {}),
      },
    ];
  });
}

function previewView(binding: BindingRow): NonNullable<BindingView["preview"]> {
  const { preview, userReads, userReadAt } = binding;
  return {
    allowed: previewUsesOwn(binding),
    asked: preview !== null,
    reads: userReads,
    ...(userReadAt === null ? {} : { lastReadAt: isoTime(userReadAt) }),
  };
}

function savedView(row: UserKeyRow): SavedKeys {
  return {
    fields: Object.entries(row.previews).map(([name, preview]) => ({ name, preview })),
    fingerprint: row.fingerprint,
    savedAt: isoTime(row.savedAt),
    checkedAt: isoTime(row.checkedAt),
    check: row.check,
  };
}
