import type { Repair, SavedAnswer } from "@keyloan/contract";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";
import { recheckKeys, removeKeys, saveKeys } from "../api/calls.ts";
import { brokerNow, type Failure, failureOf, isCancelled, RequestError } from "../api/request.ts";
import { sealValues } from "../api/seal.ts";
import { type Check, type Refusal, spokenText } from "../checks/check-text.ts";
import { type Draft, filledValues } from "../keys/check-draft.ts";
import type { Service } from "../keys/services.ts";
import { useAnnounce } from "../ui/live-region.tsx";
import { useSettings } from "./settings.tsx";

/** What is under way or was answered for one service since the page was opened. */
export type Work =
  | { readonly phase: "idle"; readonly repairs: readonly Repair[] }
  | { readonly phase: "checking"; readonly since: number }
  | { readonly phase: "refused"; readonly check: Refusal }
  | { readonly phase: "failed"; readonly failure: Failure };

export type Outcome = "valid" | "undetermined" | "refused" | "failed" | "cancelled";

export type KeyWork = {
  readonly draftOf: (service: string) => Draft | undefined;
  readonly workOf: (service: string) => Work;
  /** Changes typed values; an answer to the old ones is no answer any more. */
  readonly edit: (service: string, change: (draft: Draft) => Draft) => void;
  /** Forgets typed values. */
  readonly discard: (service: string) => void;
  /** Checks the typed values and saves them unless they are refused. Saved values are forgotten here. */
  readonly save: (service: Service) => Promise<Outcome>;
  /** Checks saved values again. */
  readonly recheck: (service: Service) => Promise<Outcome>;
  readonly cancel: (service: string) => void;
  readonly remove: (service: Service) => Promise<void>;
};

const idle: Work = { phase: "idle", repairs: [] };
const KeyWorkContext = createContext<KeyWork | undefined>(undefined);

export function useKeyWork(): KeyWork {
  const work = useContext(KeyWorkContext);
  if (work === undefined) throw new Error("useKeyWork needs a KeyWorkProvider above it");
  return work;
}

/** Holds what was typed, in memory alone, and the checks under way: they go on while other steps are shown. */
export function KeyWorkProvider({ children }: { readonly children: ReactNode }) {
  const { latest, apply, settle, during, refresh, keepRecovery } = useSettings();
  const announce = useAnnounce();
  const [drafts, setDrafts] = useState<Readonly<Record<string, Draft>>>({});
  const [works, setWorks] = useState<Readonly<Record<string, Work>>>({});
  const running = useRef(new Map<string, AbortController>());
  const typed = useRef(drafts);
  typed.current = drafts;

  const setWork = useCallback(
    (service: string, work: Work) => setWorks((before) => ({ ...before, [service]: work })),
    [],
  );
  const discard = useCallback((service: string) => setDrafts(({ [service]: _, ...others }) => others), []);
  const edit = useCallback(
    (service: string, change: (draft: Draft) => Draft) => {
      setDrafts((before) => ({ ...before, [service]: change(before[service] ?? {}) }));
      setWork(service, idle);
    },
    [setWork],
  );

  const answerOf = useCallback(
    async ({ id, label }: Service, ask: (signal: AbortSignal) => Promise<SavedAnswer>): Promise<Outcome> => {
      const controller = new AbortController();
      running.current.set(id, controller);
      setWork(id, { phase: "checking", since: brokerNow() });
      try {
        const answer = await during(() => ask(controller.signal));
        apply(answer.settings);
        if (answer.recovery !== undefined) keepRecovery(answer.recovery);
        setWork(id, { phase: "idle", repairs: answer.repairs });
        announce(spokenText(answer.check, label));
        return answer.check.status === "invalid" ? "refused" : answer.check.status;
      } catch (error) {
        if (isCancelled(error)) {
          setWork(id, idle);
          announce(`${label}: stopped.`);
          // The broker may have saved them before it learned of that.
          await refresh();
          return "cancelled";
        }
        const refused = readRefusal(error);
        if (refused !== undefined) {
          setWork(id, { phase: "refused", check: refused });
          announce(spokenText(refused, label));
          return "refused";
        }
        const failure = await settle(error);
        setWork(id, failure === undefined ? idle : { phase: "failed", failure });
        if (failure !== undefined) announce(failure.message);
        return "failed";
      } finally {
        running.current.delete(id);
      }
    },
    [announce, apply, during, keepRecovery, refresh, setWork, settle],
  );

  const save = useCallback(
    (service: Service) =>
      answerOf(service, async (signal) => {
        const values = filledValues(typed.current[service.id] ?? {});
        const send = async () => {
          const { session, version } = latest();
          return saveKeys(service.id, await sealValues(values, session.sealingKey), version, signal);
        };
        const { sealingKey } = latest().session;
        const answer = await send().catch(async (error: unknown) => {
          // A new link was opened in another tab: its session has a key of its own to seal to.
          if (failureOf(error).code !== "invalid_input" || signal.aborted) throw error;
          await refresh();
          if (latest().session.sealingKey === sealingKey) throw error;
          return send();
        });
        discard(service.id);
        return answer;
      }),
    [answerOf, discard, latest, refresh],
  );
  const recheck = useCallback(
    (service: Service) => answerOf(service, (signal) => recheckKeys(service.id, latest().version, signal)),
    [answerOf, latest],
  );

  const cancel = useCallback((service: string) => running.current.get(service)?.abort(), []);
  const remove = useCallback(
    async ({ id, label }: Service) => {
      try {
        apply(await during(() => removeKeys(id, latest().version)));
        setWork(id, idle);
        announce(`${label}: your saved keys are removed.`);
      } catch (error) {
        const failure = await settle(error);
        if (failure !== undefined) setWork(id, { phase: "failed", failure });
      }
    },
    [announce, apply, during, latest, setWork, settle],
  );

  const value = useMemo<KeyWork>(
    () => ({
      draftOf: (service) => drafts[service],
      workOf: (service) => works[service] ?? idle,
      edit,
      discard,
      save,
      recheck,
      cancel,
      remove,
    }),
    [drafts, works, edit, discard, save, recheck, cancel, remove],
  );
  return <KeyWorkContext value={value}>{children}</KeyWorkContext>;
}

function readRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof RequestError) || failureOf(error).code !== "key_rejected") return undefined;
  // The route is documented to answer `key_rejected` with the check in its details.
  const { check } = (error.failure.details ?? {}) as { check?: Check };
  return check?.status === "invalid" ? check : undefined;
}
