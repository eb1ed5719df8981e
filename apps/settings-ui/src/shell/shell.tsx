import { useCallback, useState } from "react";
import { CheckPage } from "../pages/check-page.tsx";
import { DonePage } from "../pages/done-page.tsx";
import { DownloadPage } from "../pages/download-page.tsx";
import { KeysPage, type KeyTarget } from "../pages/keys-page.tsx";
import { StartPage } from "../pages/start-page.tsx";
import { SwapPage } from "../pages/swap-page.tsx";
import { Leave } from "../person/leave-dialog.tsx";
import { PersonNotices } from "../person/person-notices.tsx";
import { VisitorPage } from "../person/visitor-page.tsx";
import { YourAccess } from "../person/your-access.tsx";
import type { OpenPage } from "../state/open-page.ts";
import { PasteProvider } from "../state/paste.tsx";
import { useSettings } from "../state/settings.tsx";
import { useStep } from "../state/use-step.ts";
import { Frame } from "./frame.tsx";
import { PageNotices } from "./page-notices.tsx";
import { StepList } from "./step-list.tsx";

/** The open page: for the person the steps, for everybody else what there is to see. */
export function Shell({ openRecovery }: Pick<OpenPage, "openRecovery">) {
  const { settings } = useSettings();
  const { standing } = settings.person;
  if (standing === "you" || standing === "none") return <Steps />;
  return (
    <Frame app={settings.build.name} notices={<PageNotices />} footer={<Footer />}>
      <VisitorPage openRecovery={openRecovery} />
    </Frame>
  );
}

function Footer() {
  return (
    <>
      <p>This page connects only to Keyloan.</p>
      <Leave look="quiet" />
    </>
  );
}

/** The list of steps, and the one that is shown. */
function Steps() {
  const { settings } = useSettings();
  const [step, go] = useStep(settings);
  const [target, setTarget] = useState<KeyTarget>();
  const [reverted, setReverted] = useState(false);
  const [codeHidden, setCodeHidden] = useState(false);

  const toKeys = useCallback(
    (next?: KeyTarget) => {
      setTarget(next);
      go("keys");
    },
    [go],
  );
  const showPasted = useCallback(() => {
    if (step !== "keys") toKeys();
  }, [step, toKeys]);
  return (
    <PasteProvider onTaken={showPasted}>
      <Frame
        app={settings.build.name}
        steps={<StepList current={step} settings={settings} />}
        notices={<PageNotices />}
        footer={<Footer />}
      >
        <PersonNotices />
        {step === "start" && <StartPage onStart={() => toKeys()} />}
        {step === "keys" && (
          <KeysPage
            key={targetKey(target)}
            target={target}
            codeHidden={codeHidden}
            onHideCode={() => setCodeHidden(true)}
            onContinue={() => go("check")}
            onSwitched={() => go("download")}
          />
        )}
        {step === "check" && <CheckPage onFix={toKeys} onContinue={() => go("swap")} />}
        {step === "swap" && (
          <SwapPage
            reverted={reverted}
            onFix={toKeys}
            onBack={() => go("check")}
            onSwapped={() => {
              setReverted(false);
              go("download");
            }}
          />
        )}
        {step === "download" && (
          <DownloadPage
            onAddRest={() => toKeys()}
            onReverted={() => {
              setReverted(true);
              go("swap");
            }}
            onFinished={() => go("done")}
          />
        )}
        {step === "done" && <DonePage />}
        <YourAccess step={step} />
      </Frame>
    </PasteProvider>
  );
}

function targetKey(target: KeyTarget | undefined): string {
  return `${target?.service} ${target?.variable}`;
}
