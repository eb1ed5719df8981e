import type { Catalog, RecoveryCode, SettingsView } from "@keyloan/contract";
import {
  createContext,
  type ReactNode,
  type RefObject,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { readSettings } from "../api/calls.ts";
import { type Failure, failureOf } from "../api/request.ts";
import { type Service, servicesOf } from "../keys/services.ts";
import type { ClosedReason } from "./closed.ts";

export type Connection = "good" | "offline" | "unreachable";

export type SettingsState = {
  readonly settings: SettingsView;
  readonly services: readonly Service[];
  readonly connection: Connection;
  /** The settings were changed elsewhere while this page was open, and it now shows the new state. */
  readonly changedElsewhere: boolean;
  readonly dismissChange: () => void;
  /** Takes over what a write answered. */
  readonly apply: (settings: SettingsView) => void;
  readonly refresh: () => Promise<void>;
  /** The newest known state, for work that began before it was drawn. */
  readonly latest: () => SettingsView;
  /** Deals with what concerns the whole page; what it gives back is for the place that failed. */
  readonly settle: (error: unknown) => Promise<Failure | undefined>;
  /** Counts a write as under way, so that its own change is not mistaken for another tab's. */
  readonly during: <T>(work: () => Promise<T>) => Promise<T>;
  readonly close: (reason: ClosedReason) => void;
  /** The person's recovery code, which only this page still has: a reload forgets it. */
  readonly recovery: RecoveryCode | undefined;
  readonly keepRecovery: (recovery: RecoveryCode) => void;
};

const setUpPollMs = 5_000;

const SettingsContext = createContext<SettingsState | undefined>(undefined);

export function useSettings(): SettingsState {
  const state = useContext(SettingsContext);
  if (state === undefined) throw new Error("useSettings needs a SettingsProvider above it");
  return state;
}

export function SettingsProvider({
  catalog,
  first,
  close,
  children,
}: {
  readonly catalog: Catalog;
  readonly first: SettingsView;
  readonly close: (reason: ClosedReason) => void;
  readonly children: ReactNode;
}) {
  const [settings, setSettings] = useState(first);
  const [connection, setConnection] = useState<Connection>("good");
  const [changedElsewhere, setChanged] = useState(false);
  const [recovery, keepRecovery] = useState<RecoveryCode>();
  const newest = useRef(first);
  const writing = useRef(0);

  const apply = useCallback((next: SettingsView) => {
    // Answers may overtake one another.
    if (next.version < newest.current.version) return;
    newest.current = next;
    setSettings(next);
    setConnection("good");
  }, []);
  const dismissChange = useCallback(() => setChanged(false), []);
  const latest = useCallback(() => newest.current, []);

  const settle = useCallback(
    async (error: unknown): Promise<Failure | undefined> => {
      const failure = failureOf(error);
      switch (failure.code) {
        case "session_expired":
        case "unauthenticated":
          close("session_expired");
          return undefined;
        case "build_closed":
          close("build_closed");
          return undefined;
        case "settings_changed": {
          setChanged(true);
          const next = await readSettings().catch(() => undefined);
          if (next !== undefined) apply(next);
          return undefined;
        }
        case "person_only": {
          // Somebody else was first, or started over: the page shows it.
          const next = await readSettings().catch(() => undefined);
          if (next !== undefined) apply(next);
          return failure;
        }
        case "offline":
        case "unreachable":
          setConnection(failure.code);
          return failure;
        default:
          return failure;
      }
    },
    [apply, close],
  );

  const during = useCallback(async <T,>(work: () => Promise<T>): Promise<T> => {
    writing.current++;
    try {
      return await work();
    } finally {
      writing.current--;
    }
  }, []);

  const refresh = useCallback(async () => {
    const idle = writing.current === 0;
    const before = newest.current.version;
    try {
      const next = await readSettings();
      if (idle && writing.current === 0 && before === newest.current.version && next.version > before) {
        setChanged(true);
      }
      apply(next);
      setConnection("good");
    } catch (error) {
      await settle(error);
    }
  }, [apply, settle]);

  useOutsideChanges(refresh, setConnection, writing);
  const settingUp = settings.build.state === "provisioning";
  useEffect(() => {
    if (!settingUp) return;
    const timer = setInterval(refresh, setUpPollMs);
    return () => clearInterval(timer);
  }, [settingUp, refresh]);
  const services = useMemo(() => servicesOf(catalog, settings), [catalog, settings]);
  const state = useMemo<SettingsState>(
    () => ({
      settings,
      services,
      connection,
      changedElsewhere,
      dismissChange,
      apply,
      refresh,
      latest,
      settle,
      during,
      close,
      recovery,
      keepRecovery,
    }),
    [
      settings,
      services,
      connection,
      changedElsewhere,
      dismissChange,
      apply,
      refresh,
      latest,
      settle,
      during,
      close,
      recovery,
    ],
  );
  return <SettingsContext value={state}>{children}</SettingsContext>;
}

/** Asks again when the person comes back to the tab or to the network, and at the end of the session. */
function useOutsideChanges(
  refresh: () => Promise<void>,
  setConnection: (connection: Connection) => void,
  writing: RefObject<number>,
): void {
  useEffect(() => {
    const onVisible = () => {
      if (document.visibilityState === "visible" && writing.current === 0) refresh();
    };
    const onOffline = () => setConnection("offline");
    addEventListener("online", refresh);
    addEventListener("offline", onOffline);
    addEventListener("focus", onVisible);
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      removeEventListener("online", refresh);
      removeEventListener("offline", onOffline);
      removeEventListener("focus", onVisible);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [refresh, setConnection, writing]);
}
