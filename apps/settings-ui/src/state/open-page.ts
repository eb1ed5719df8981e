import type { Catalog, SettingsView } from "@keyloan/contract";
import { useCallback, useEffect, useRef, useState } from "react";
import { openSession, readCatalog, readSettings } from "../api/calls.ts";
import { type Failure, failureOf } from "../api/request.ts";
import { takeCode } from "../handoff/take-code.ts";

/** Why there is nothing to show but a way back. */
export type ClosedReason =
  | "no_link"
  | "link_broken"
  | "link_used"
  | "link_expired"
  | "session_expired"
  | "left"
  | "build_closed";

export type PageState =
  | { readonly kind: "opening" }
  | { readonly kind: "closed"; readonly reason: ClosedReason; readonly other?: SettingsView }
  | { readonly kind: "failed"; readonly failure: Failure }
  | { readonly kind: "open"; readonly settings: SettingsView; readonly catalog: Catalog };

export type OpenPage = {
  readonly state: PageState;
  readonly retry: () => void;
  readonly close: (reason: ClosedReason) => void;
};

/** Opens the page: exchanges the link's code when there is one, then reads what the page shows. */
export function useOpenPage(firstCode: string | undefined): OpenPage {
  const [state, setState] = useState<PageState>({ kind: "opening" });
  // The code waits here until it was exchanged, so that a lost connection does not lose the link.
  const code = useRef(firstCode);
  const start = useCallback(async () => {
    setState({ kind: "opening" });
    setState(await open(code));
  }, []);
  useEffect(() => {
    start();
    const follow = () => {
      const next = takeCode();
      if (next === undefined) return;
      code.current = next;
      start();
    };
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, [start]);
  const close = useCallback((reason: ClosedReason) => setState({ kind: "closed", reason }), []);
  return { state, retry: start, close };
}

type CodeHolder = { current: string | undefined };

async function open(code: CodeHolder): Promise<PageState> {
  const opensLink = code.current !== undefined;
  try {
    if (code.current !== undefined) await openSession(code.current);
    code.current = undefined;
    return await read();
  } catch (error) {
    const failure = failureOf(error);
    const reason = closedReason(failure, opensLink);
    if (reason === undefined) return { kind: "failed", failure };
    code.current = undefined;
    if (reason !== "link_used") return { kind: "closed", reason };
    const other = await readSettings().catch(() => undefined);
    return { kind: "closed", reason, ...(other === undefined ? {} : { other }) };
  }
}

async function read(): Promise<PageState> {
  const [catalog, settings] = await Promise.all([readCatalog(), readSettings()]);
  return { kind: "open", catalog, settings };
}

function closedReason({ code }: Failure, opensLink: boolean): ClosedReason | undefined {
  switch (code) {
    case "handoff_used":
      return "link_used";
    case "handoff_expired":
      return "link_expired";
    case "build_closed":
      return "build_closed";
    case "malformed_request":
    case "invalid_input":
      return opensLink ? "link_broken" : undefined;
    case "session_expired":
    case "unauthenticated":
      return "no_link";
    default:
      return undefined;
  }
}
