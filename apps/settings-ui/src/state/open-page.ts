import type { Catalog, SettingsView } from "@keyloan/contract";
import { useCallback, useEffect, useRef, useState } from "react";
import { readCatalog, readSettings } from "../api/calls.ts";
import { openSession, type Proof, readKnownBuilds } from "../api/persons.ts";
import { type Failure, failureOf, nameBuild } from "../api/request.ts";
import { takeCode } from "../handoff/take-code.ts";
import { readBuildInAddress, showBuild } from "./build-in-address.ts";
import { type Closed, type ClosedReason, closedReason, type KnownBuild } from "./closed.ts";

export type PageState =
  /** A link's code waits for a click: who only loads the page, such as a scanner of mails, does not spend it. */
  | { readonly kind: "link" }
  | { readonly kind: "opening" }
  | { readonly kind: "failed"; readonly failure: Failure }
  | { readonly kind: "choosing"; readonly known: readonly KnownBuild[] }
  | { readonly kind: "open"; readonly settings: SettingsView; readonly catalog: Catalog }
  | Closed;

export type OpenPage = {
  readonly state: PageState;
  /** Spends the link's code. */
  readonly openLink: () => void;
  readonly openBuild: (id: string) => void;
  /** Gives back why the code opens nothing, for the place where it was entered. */
  readonly openRecovery: (recovery: string) => Promise<Failure | undefined>;
  readonly retry: () => void;
  readonly close: (reason: ClosedReason) => void;
};

/** Opens the page by a link, by what this browser is known for, or by a recovery code. */
export function useOpenPage(firstCode: string | undefined): OpenPage {
  const [state, setState] = useState<PageState>({ kind: firstCode === undefined ? "opening" : "link" });
  // The code waits here until it was exchanged, so that a lost connection does not lose the link.
  const code = useRef(firstCode);
  const last = useRef<() => Promise<PageState>>(arrive);

  const go = useCallback(async (way: () => Promise<PageState>) => {
    last.current = way;
    setState({ kind: "opening" });
    setState(await way());
  }, []);
  useEffect(() => {
    if (code.current === undefined) go(arrive);
    const follow = () => {
      const next = takeCode();
      if (next === undefined) return;
      code.current = next;
      setState({ kind: "link" });
    };
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, [go]);

  const openLink = useCallback(
    () =>
      void go(async () => {
        const next = await enter({ code: code.current ?? "" });
        if (next.kind !== "failed") code.current = undefined;
        return next;
      }),
    [go],
  );
  const openBuild = useCallback((id: string) => void go(() => reopen(id)), [go]);
  const openRecovery = useCallback(async (recovery: string) => {
    try {
      setState(await exchange({ recovery }));
      return undefined;
    } catch (error) {
      return failureOf(error);
    }
  }, []);
  const retry = useCallback(() => void go(last.current), [go]);
  const close = useCallback((reason: ClosedReason) => {
    setState({ kind: "closed", reason, known: [] });
    // What this browser still stands for is offered when it is known.
    closed(reason).then(setState);
  }, []);
  return { state, openLink, openBuild, openRecovery, retry, close };
}

/** Without a link: the build that the address names, or what this browser is known for. */
async function arrive(): Promise<PageState> {
  const named = readBuildInAddress();
  if (named !== undefined) return reopen(named);
  try {
    const { builds } = await readKnownBuilds();
    const [first, ...others] = builds;
    if (first !== undefined && first.replaced === undefined && others.length === 0) return reopen(first.id);
    if (first !== undefined) return { kind: "choosing", known: builds };
    // The one visit that this browser has, of whichever build.
    nameBuild(undefined);
    return await read();
  } catch (error) {
    return unopened(error, false);
  }
}

/** A visit that goes on; or a new one, when this browser stands for the build's person. */
async function reopen(id: string): Promise<PageState> {
  try {
    nameBuild(id);
    return await read();
  } catch (error) {
    if (!["session_expired", "unauthenticated"].includes(failureOf(error).code))
      return unopened(error, false);
    return enter({ buildId: id });
  }
}

async function enter(proof: Proof): Promise<PageState> {
  try {
    return await exchange(proof);
  } catch (error) {
    return unopened(error, "code" in proof);
  }
}

async function exchange(proof: Proof): Promise<PageState> {
  const { buildId } = await openSession(proof);
  showBuild(buildId);
  return read();
}

async function read(): Promise<PageState> {
  const [catalog, settings] = await Promise.all([readCatalog(), readSettings()]);
  showBuild(settings.build.id);
  return { kind: "open", catalog, settings };
}

async function unopened(error: unknown, byLink: boolean): Promise<PageState> {
  const failure = failureOf(error);
  const reason = closedReason(failure, byLink);
  return reason === undefined ? { kind: "failed", failure } : closed(reason);
}

async function closed(reason: ClosedReason): Promise<Closed> {
  const { builds } = await readKnownBuilds().catch(() => ({ builds: [] }));
  if (reason !== "link_used" || builds.length > 0) return { kind: "closed", reason, known: builds };
  // The link may have been opened in this very browser.
  nameBuild(undefined);
  const other = await readSettings().catch(() => undefined);
  return { kind: "closed", reason, known: [], ...(other === undefined ? {} : { other }) };
}
