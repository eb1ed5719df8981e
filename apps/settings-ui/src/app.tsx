import { ClosedPage } from "./handoff/closed-page.tsx";
import { OpeningPage } from "./handoff/opening-page.tsx";
import { ChoosePage } from "./person/choose-page.tsx";
import { OpenLinkPage } from "./person/open-link-page.tsx";
import { Shell } from "./shell/shell.tsx";
import { KeyWorkProvider } from "./state/key-work.tsx";
import { type OpenPage, useOpenPage } from "./state/open-page.ts";
import { SettingsProvider } from "./state/settings.tsx";
import { LiveRegion } from "./ui/live-region.tsx";

/** The whole page: a link to open, opening, open, or closed with a way on. */
export function App({ code }: { readonly code: string | undefined }) {
  const page = useOpenPage(code);
  return (
    <LiveRegion>
      <Page {...page} />
    </LiveRegion>
  );
}

function Page({ state, openLink, openBuild, openRecovery, retry, close }: OpenPage) {
  switch (state.kind) {
    case "link":
      return <OpenLinkPage onOpen={openLink} />;
    case "opening":
      return <OpeningPage />;
    case "failed":
      return <OpeningPage failure={state.failure} onRetry={retry} />;
    case "choosing":
      return <ChoosePage known={state.known} openBuild={openBuild} openRecovery={openRecovery} />;
    case "closed":
      return <ClosedPage closed={state} openBuild={openBuild} openRecovery={openRecovery} />;
    case "open": {
      const { settings, catalog } = state;
      return (
        // Each visit has a sealing key of its own, so another visit begins anew.
        <SettingsProvider key={settings.session.sealingKey} catalog={catalog} first={settings} close={close}>
          <KeyWorkProvider>
            <Shell openRecovery={openRecovery} />
          </KeyWorkProvider>
        </SettingsProvider>
      );
    }
  }
}
