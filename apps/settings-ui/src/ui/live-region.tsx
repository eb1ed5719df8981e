import { createContext, type ReactNode, useCallback, useContext, useState } from "react";

const Announce = createContext<(text: string) => void>(() => undefined);

/** Gives what is below it a voice: each text is read out once by a screen reader, without moving the focus. */
export function LiveRegion({ children }: { readonly children: ReactNode }) {
  const [said, setSaid] = useState({ text: "", turn: 0 });
  const announce = useCallback((text: string) => setSaid(({ turn }) => ({ text, turn: turn + 1 })), []);
  return (
    <Announce value={announce}>
      {children}
      {/* A new element each time, so that the same sentence twice is read twice. */}
      <div role="status" aria-live="polite" className="sr-only">
        <span key={said.turn}>{said.text}</span>
      </div>
    </Announce>
  );
}

export function useAnnounce(): (text: string) => void {
  return useContext(Announce);
}
