import { BrokerError } from "@keyloan/contract";
import type { BindingRow, BuildRow } from "@keyloan/store";
import { buildClosed } from "../../build-closed.ts";
import type { BrokerConfig } from "../../env.ts";
import { isoTime } from "../../iso-time.ts";

type Config = Pick<BrokerConfig, "revertHours">;
type Times = Pick<BuildRow, "revertibleUntil" | "downloadedAt" | "lendingEndedAt">;
type Bindings = readonly Pick<BindingRow, "source" | "swappedAt" | "leaseId">[];

/** How long after a switch, and at most after the first download, the lent keys can be taken back. */
export const revertWindowMs = ({ revertHours }: Config): number => revertHours * 3_600_000;

/**
 * When everything lent to a build ends by itself, finished or not, in milliseconds since the epoch: its user has own
 * keys for all of it, and the time to go back is over. `undefined` while the app uses anything lent.
 */
export function lendingEndsAt(config: Config, build: Times, bindings: Bindings): number | undefined {
  if (build.lendingEndedAt !== null) return build.lendingEndedAt;
  // A binding that the broker did not write lends nothing, so it keeps nothing from ending.
  const isLent = bindings.some(({ source, leaseId }) => source === "org" && leaseId !== null);
  if (isLent || bindings.every(({ source }) => source === "org")) return undefined;
  const { revertibleUntil, downloadedAt } = build;
  // The build's row is proven by nothing: whoever writes to the store can bring the end forward, and not put it off.
  const switchedAt = Math.max(...bindings.map(({ swappedAt }) => swappedAt ?? 0));
  const windowMs = revertWindowMs(config);
  return Math.min(
    switchedAt + windowMs,
    ...(revertibleUntil === null ? [] : [revertibleUntil]),
    ...(downloadedAt === null ? [] : [downloadedAt + windowMs]),
  );
}

/** Until when a user can take back what was lent; `undefined` when they switched nothing. */
export function wayBackEndsAt(config: Config, build: Times, bindings: Bindings): number | undefined {
  return lendingEndsAt(config, build, bindings) ?? build.revertibleUntil ?? undefined;
}

/** Whether it is over now, also before somebody has done what comes with that. */
export function isLendingOver(config: Config, build: Times, bindings: Bindings, now: number): boolean {
  return build.lendingEndedAt !== null || (lendingEndsAt(config, build, bindings) ?? Infinity) <= now;
}

/**
 * Lets a build's values be answered, or new tokens for them be made, while anybody but the user has a right to them.
 * @throws BrokerError `build_closed`
 */
export function refuseWhenUsersAlone(
  config: Config,
  build: Times & { readonly state: string },
  bindings: Bindings,
  now: number,
): void {
  if (["handed_off", "closing", "closed"].includes(build.state)) throw buildClosed(build.state);
  if (isLendingOver(config, build, bindings, now)) throw lendingOver(build);
}

/** The 409 for what a build does not do any more: its user has own keys for everything, and they are nobody else's. */
export function lendingOver(build: {
  readonly state: string;
  readonly lendingEndedAt: number | null;
}): BrokerError {
  const { state, lendingEndedAt } = build;
  return new BrokerError(
    "build_closed",
    "lending to this build has ended: its keys belong to its user alone",
    {
      remedy:
        "Its user can download the env file on the settings page until the build closes; `keyloan build link` makes a link to it. For another app, create a new build.",
      details: { state, ...(lendingEndedAt === null ? {} : { lendingEndedAt: isoTime(lendingEndedAt) }) },
    },
  );
}
