import type { MovableView, TransferList } from "@keyloan/contract";
import { useCallback, useEffect, useRef, useState } from "react";
import { type Failure, failureOf } from "../api/request.ts";
import { cancelTransfers, readTransfers, resumeTransfer, startTransfer } from "../api/transfers.ts";
import { useSettings } from "../state/settings.tsx";
import { useAnnounce } from "../ui/live-region.tsx";

const movingPollMs = 1_000;
const copiedPollMs = 3_000;

/** Why one service's data was not begun to be moved. */
export type Refused = { readonly connector: string; readonly failure: Failure };

export type Transfers = {
  /** `undefined` until the broker has answered for the first time. */
  readonly movable: readonly MovableView[] | undefined;
  readonly failure: Failure | undefined;
  readonly refused: readonly Refused[];
  readonly busy: boolean;
  /** Begins, or goes on, with each of these; what a target holds goes only when `overwrite` says so. */
  readonly move: (connectors: readonly string[], overwrite?: boolean) => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly reload: () => Promise<void>;
  /** Whether a service's data came along with its switch, or is copied and will. */
  readonly wasMoved: (service: { readonly id: string }) => boolean;
};

/** What can be moved and how far it is, asked again as often as it may change. It goes on when the page is left. */
export function useTransfers(): Transfers {
  const { settings, settle, refresh, during } = useSettings();
  const announce = useAnnounce();
  const [movable, setMovable] = useState<readonly MovableView[]>();
  const [failure, setFailure] = useState<Failure>();
  const [refused, setRefused] = useState<readonly Refused[]>([]);
  const [busy, setBusy] = useState(false);
  const known = useRef(movable);

  const take = useCallback(
    (list: TransferList) => {
      const news = newsOf(known.current, list.movable);
      if (news !== undefined) announce(news);
      known.current = list.movable;
      setMovable(list.movable);
      setFailure(undefined);
    },
    [announce],
  );
  const reload = useCallback(async () => {
    try {
      take(await readTransfers());
    } catch (error) {
      const told = await settle(error);
      if (told !== undefined) setFailure(told);
    }
  }, [settle, take]);

  // Another version of the settings may be another list.
  const { version } = settings;
  useEffect(() => {
    if (version >= 0) reload();
  }, [reload, version]);
  const pollMs = pollOf(movable);
  useEffect(() => {
    if (pollMs === undefined) return;
    const timer = setInterval(reload, pollMs);
    return () => clearInterval(timer);
  }, [pollMs, reload]);

  const move = useCallback(
    async (connectors: readonly string[], overwrite = false) => {
      setBusy(true);
      const failed: Refused[] = [];
      await during(async () => {
        for (const connector of connectors) {
          const { transfer } = known.current?.find((each) => each.connector === connector) ?? {};
          const ended = transfer?.state === "failed" || transfer?.state === "cancelled";
          try {
            take(await (ended ? resumeTransfer : startTransfer)(connector, overwrite));
          } catch (error) {
            const told = await settle(error);
            if (told !== undefined) failed.push({ connector, failure: failureOf(error) });
          }
        }
        await refresh();
      });
      setRefused((before) => [
        ...before.filter(({ connector }) => !connectors.includes(connector)),
        ...failed,
      ]);
      for (const { failure: told } of failed) announce(told.message);
      setBusy(false);
    },
    [announce, during, refresh, settle, take],
  );
  const stop = useCallback(async () => {
    setBusy(true);
    try {
      take(await cancelTransfers());
    } catch (error) {
      const told = await settle(error);
      // It may have ended by itself a moment ago.
      if (told?.code === "conflict") await reload();
      else if (told !== undefined) setFailure(told);
    } finally {
      setBusy(false);
    }
  }, [reload, settle, take]);
  const wasMoved = useCallback(
    ({ id }: { readonly id: string }) => {
      const state = movable?.find(({ connector }) => connector === id)?.transfer?.state;
      return state === "copied" || state === "switched";
    },
    [movable],
  );
  return { movable, failure, refused, busy, move, stop, reload, wasMoved };
}

export function isMoving({ transfer }: MovableView): boolean {
  return transfer !== undefined && (["waiting", "copying"].includes(transfer.state) || transfer.tidying);
}

function pollOf(movable: readonly MovableView[] | undefined): number | undefined {
  if (movable?.some(isMoving) === true) return movingPollMs;
  return movable?.some(({ transfer }) => transfer?.state === "copied") === true ? copiedPollMs : undefined;
}

/** What a screen reader is told: that something ended, not how far it is. */
function newsOf(before: readonly MovableView[] | undefined, now: readonly MovableView[]): string | undefined {
  const wasMoving = before?.some(isMoving) === true;
  if (!wasMoving || now.some(isMoving)) return undefined;
  const states = now.map(({ transfer }) => transfer?.state);
  if (states.includes("failed")) return "Your data could not be moved. Nothing was changed.";
  if (states.includes("copied")) return "Your data is in your accounts. You can switch.";
  return "Moving was stopped. Everything is as it was.";
}
