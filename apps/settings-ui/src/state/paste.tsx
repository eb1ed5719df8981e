import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { looksLikeEnv, type PastedValues, readPasted } from "../keys/read-pasted.ts";
import { useAnnounce } from "../ui/live-region.tsx";
import { useKeyWork } from "./key-work.tsx";
import { useSettings } from "./settings.tsx";

export type PasteReport = Omit<PastedValues, "found"> & { readonly services: readonly string[] };

export type Paste = {
  readonly report: PasteReport | undefined;
  /**
   * Sorts lines of an env file into the fields. `false` when the text is none, or only a line for the field
   * `into` itself, and nothing was done.
   */
  readonly takeText: (text: string, into?: string) => boolean;
  readonly dismiss: () => void;
};

const PasteContext = createContext<Paste | undefined>(undefined);

export function usePaste(): Paste {
  const paste = useContext(PasteContext);
  if (paste === undefined) throw new Error("usePaste needs a PasteProvider above it");
  return paste;
}

/** Lets a whole env file be pasted anywhere on the page. `onTaken` shows where its values went. */
export function PasteProvider({
  children,
  onTaken,
}: {
  readonly children: ReactNode;
  readonly onTaken: () => void;
}) {
  const { services, settings } = useSettings();
  const { edit } = useKeyWork();
  const announce = useAnnounce();
  const [report, setReport] = useState<PasteReport>();
  const finished = settings.finishedAt !== undefined;

  const takeText = useCallback(
    (text: string, into?: string): boolean => {
      if (finished || !looksLikeEnv(text)) return false;
      const { found, ...rest } = readPasted(text, services);
      // One line for the field it was pasted into, or a value that only looks like a line.
      if (rest.fieldCount + rest.unknown.length + rest.unneeded.length < 2 && rest.fieldCount === 0)
        return false;
      const names = Object.values(found).flatMap((values) => Object.keys(values));
      if (names.length + rest.unknown.length === 1 && names[0] === into) return false;
      for (const [service, values] of Object.entries(found)) {
        edit(service, (old) => ({ ...old, ...values }));
      }
      setReport({ ...rest, services: Object.keys(found) });
      announce(spokenReport(rest, Object.keys(found).length));
      onTaken();
      return true;
    },
    [announce, edit, finished, onTaken, services],
  );

  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      if (event.defaultPrevented || isTextField(event.target)) return;
      const text = event.clipboardData?.getData("text") ?? "";
      if (takeText(text)) event.preventDefault();
    };
    document.addEventListener("paste", onPaste);
    return () => document.removeEventListener("paste", onPaste);
  }, [takeText]);

  const dismiss = useCallback(() => setReport(undefined), []);
  const value = useMemo(() => ({ report, takeText, dismiss }), [report, takeText, dismiss]);
  return <PasteContext value={value}>{children}</PasteContext>;
}

export function spokenReport(
  { fieldCount, unknown }: Pick<PasteReport, "fieldCount" | "unknown">,
  serviceCount: number,
): string {
  if (fieldCount === 0) return "None of these names belongs to a field on this page.";
  const filled = `Filled in ${count(fieldCount, "field")} in ${count(serviceCount, "service")}.`;
  return unknown.length === 0 ? filled : `${filled} ${count(unknown.length, "name")} not used here.`;
}

export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}

function isTextField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
