import { ClosedPage } from "./handoff/closed-page.tsx";
import { OpeningPage } from "./handoff/opening-page.tsx";
import { Shell } from "./shell/shell.tsx";
import { KeyWorkProvider } from "./state/key-work.tsx";
import { useOpenPage } from "./state/open-page.ts";
import { SettingsProvider } from "./state/settings.tsx";
import { LiveRegion } from "./ui/live-region.tsx";

/** The whole page: opening, open, or closed with a way on. */
export function App({ code }: { readonly code: string | undefined }) {
  const { state, retry, close } = useOpenPage(code);
  return (
    <LiveRegion>
      {state.kind === "opening" && <OpeningPage />}
      {state.kind === "failed" && <OpeningPage failure={state.failure} onRetry={retry} />}
      {state.kind === "closed" && <ClosedPage reason={state.reason} other={state.other} onContinue={retry} />}
      {state.kind === "open" && (
        <SettingsProvider
          key={state.settings.build.id}
          catalog={state.catalog}
          first={state.settings}
          close={close}
        >
          <KeyWorkProvider>
            <Shell />
          </KeyWorkProvider>
        </SettingsProvider>
      )}
    </LiveRegion>
  );
}
