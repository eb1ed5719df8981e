import type { ConnectorSpec } from "@keyloan/contract";
import type { LeaseRow, StoredLeaseError, StoredRequiredAction } from "@keyloan/store";

type Steps = StoredRequiredAction["steps"];

/** What a person does when a lease cannot be issued: fix the cause, or make the keys by hand. */
export function issueSteps(
  spec: ConnectorSpec | undefined,
  lease: LeaseRow,
  error: StoredLeaseError,
  jobId: string,
): Steps {
  const fix = [
    { text: `What happened: ${error.message}. ${error.remedy}` },
    { text: `When that is fixed, run \`keyloan jobs retry ${jobId}\`: the rest runs automatically.` },
  ];
  const giveUp = {
    text: `If the app can do without it, run \`keyloan jobs cancel ${jobId}\`: the build continues without ${lease.connectorId}.`,
  };
  if (spec === undefined || suppliable(spec).length === 0) return [...fix, giveUp];
  const { guide, label } = spec;
  const helpUrls = new Set(spec.env.flatMap(({ helpUrl }) => helpUrl ?? []));
  if (guide !== undefined) helpUrls.delete(guide.url);
  return [
    ...fix,
    {
      text: `Or make the keys by hand at ${label}.${nameSentence(lease)}`,
      ...(guide === undefined ? {} : { url: guide.url }),
    },
    ...(guide?.steps.map((text) => ({ text })) ?? []),
    ...[...helpUrls].map((url) => ({ text: "Where to find the keys:", url })),
    {
      text: `Give them to the build with \`keyloan jobs supply ${jobId}\`, which asks for ${suppliable(spec).join(", ")}; the broker checks them, and the build continues.`,
    },
    giveUp,
  ];
}

/** What a person does when a lease cannot be ended at its provider. */
export function releaseSteps(
  spec: ConnectorSpec | undefined,
  lease: LeaseRow,
  error: StoredLeaseError,
  jobId: string,
): Steps {
  const names = Object.values(lease.handle);
  const confirm = names[0] ?? lease.id;
  const guide = spec?.guide;
  return [
    { text: `What happened: ${error.message}. ${error.remedy}` },
    {
      text: "When that is fixed, you do not need to do anything: the broker tries again automatically, every hour.",
    },
    {
      text: `Or remove it by hand at ${spec?.label ?? lease.connectorId}: ${describeHandle(lease) || "what the build used there"}.`,
      ...(guide === undefined ? {} : { url: guide.url }),
    },
    { text: `Then confirm it with \`keyloan jobs cancel ${jobId} --confirm ${confirm}\`.` },
  ];
}

/** The variables that a person may hand in for a connector. */
export function suppliable(spec: Pick<ConnectorSpec, "env">): readonly string[] {
  return spec.env.filter(({ own }) => own?.kind !== "generated").map(({ name }) => name);
}

function nameSentence(lease: LeaseRow): string {
  const names = describeHandle(lease);
  return names === "" ? "" : ` Use the planned name, so that it is ended with the build: ${names}.`;
}

function describeHandle({ handle }: LeaseRow): string {
  return Object.entries(handle)
    .map(([part, name]) => `${part} ${name}`)
    .join(", ");
}
