import { BrokerError } from "@keyloan/contract";
import type { BindingRow, TransferRow, UserKeyRow } from "@keyloan/store";
import { newestOf } from "../transfers/movable.ts";

type PreviewState = Pick<BindingRow, "source" | "preview">;

/** What is known of a build when its user is asked about the preview. */
export type Asked = {
  readonly bindings: readonly BindingRow[];
  /** Newest first. */
  readonly userKeys: readonly UserKeyRow[];
  readonly transfers: readonly TransferRow[];
};

export type Answers = Readonly<Record<string, boolean>>;

/**
 * Whether a build's own env holds the user's values of a connector. Without an answer, from before the question was
 * asked, it does.
 */
export function previewUsesOwn({ source, preview }: PreviewState): boolean {
  return source === "user" && preview !== false;
}

/**
 * What is chosen for the user until they answer: yes for test keys and for services whose data was moved, whose app
 * would have to save into two places otherwise. What is not known to be test data is not lent to unreviewed code.
 */
export function defaultAnswers(asked: Asked): ReadonlyMap<string, boolean> {
  const moved = movedConnectors(asked);
  const isKept = (binding: BindingRow) => binding.source === "user" && binding.preview === false;
  const movedAreKept = asked.bindings.some((binding) => moved.has(binding.connectorId) && isKept(binding));
  return new Map(
    asked.bindings.flatMap((binding) => {
      const { connectorId } = binding;
      const saved = asked.userKeys.find((row) => row.connectorId === connectorId);
      if (saved === undefined) return [];
      const answer = moved.has(connectorId) ? !movedAreKept : !isKept(binding) && isTestKey(saved);
      return [[connectorId, answer] as const];
    }),
  );
}

/**
 * The answers for connectors that are being switched: those given, and the defaults for the rest. An answer for one
 * service whose data was moved is the answer for all of them.
 * @throws BrokerError `invalid_input` for another connector, or when services whose data was moved differ
 */
export function answersFor(
  asked: Asked,
  connectorIds: readonly string[],
  given: Answers,
): ReadonlyMap<string, boolean> {
  refuseOthers(connectorIds, given, "is not switched by this request");
  const moved = movedConnectors(asked);
  const together = connectorIds.filter((id) => moved.has(id)).map((id) => given[id]);
  const ofMoved = together.find((answer) => answer !== undefined);
  const defaults = defaultAnswers(asked);
  const answers = new Map(
    connectorIds.map((id) => {
      const other = moved.has(id) ? ofMoved : undefined;
      return [id, given[id] ?? other ?? defaults.get(id) ?? false] as const;
    }),
  );
  refuseDiffering(asked, moved, answers);
  return answers;
}

/**
 * Changed answers for connectors that are in use already.
 * @throws BrokerError `invalid_input` for another connector, or when services whose data was moved differ then
 */
export function changedAnswers(asked: Asked, given: Answers): ReadonlyMap<string, boolean> {
  const inUse = asked.bindings
    .filter(({ source }) => source === "user")
    .map(({ connectorId }) => connectorId);
  refuseOthers(inUse, given, "does not use the user's own key");
  const answers = new Map(Object.entries(given));
  refuseDiffering(asked, movedConnectors(asked), answers);
  return answers;
}

/** Connectors whose data is in the user's account: copied and waiting for the switch, or in use there. */
function movedConnectors({ bindings, transfers }: Asked): ReadonlySet<string> {
  const newest = newestOf(transfers);
  const moved = bindings.filter(({ connectorId, leaseId, source }) => {
    const row = newest.get(connectorId);
    return row?.leaseId === leaseId && row.state === (source === "user" ? "switched" : "copied");
  });
  return new Set(moved.map(({ connectorId }) => connectorId));
}

function isTestKey({ check }: UserKeyRow): boolean {
  return check.status === "valid" && check.mode === "test";
}

function refuseOthers(known: readonly string[], given: Answers, why: string): void {
  const other = Object.keys(given).find((id) => !known.includes(id));
  if (other === undefined) return;
  throw new BrokerError("invalid_input", `there is an answer for ${other}, which ${why}`, {
    remedy: "Answer for the services that the page shows, and for no others.",
    details: { problems: [{ in: "json", path: `preview.${other}`, problem: why }] },
  });
}

function refuseDiffering(
  { bindings }: Asked,
  moved: ReadonlySet<string>,
  answers: ReadonlyMap<string, boolean>,
): void {
  const ofMoved = bindings.flatMap((binding) => {
    const answer = answers.get(binding.connectorId);
    if (!moved.has(binding.connectorId) || (answer === undefined && binding.source === "org")) return [];
    return [answer ?? previewUsesOwn(binding)];
  });
  if (new Set(ofMoved).size < 2) return;
  throw new BrokerError("invalid_input", "services whose data was moved must have the same answer", {
    remedy: "Give the same answer for all of them: an app that writes to both places would split its data.",
    details: { problems: [{ in: "json", path: "preview", problem: `differs: ${[...moved].join(", ")}` }] },
  });
}
