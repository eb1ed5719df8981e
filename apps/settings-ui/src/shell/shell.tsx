import { useCallback, useState } from "react";
import { endSession } from "../api/calls.ts";
import { CheckPage } from "../pages/check-page.tsx";
import { DonePage } from "../pages/done-page.tsx";
import { DownloadPage } from "../pages/download-page.tsx";
import { KeysPage, type KeyTarget } from "../pages/keys-page.tsx";
import { StartPage } from "../pages/start-page.tsx";
import { SwapPage } from "../pages/swap-page.tsx";
import { PasteProvider } from "../state/paste.tsx";
import { useSettings } from "../state/settings.tsx";
import { useStep } from "../state/use-step.ts";
import { Frame } from "./frame.tsx";
import { PageNotices } from "./page-notices.tsx";
import { StepList } from "./step-list.tsx";

/** The open page: the list of steps, and the one that is shown. */
export function Shell() {
  const { settings, close } = useSettings();
  const [step, go] = useStep(settings);
  const [target, setTarget] = useState<KeyTarget>();
  const [reverted, setReverted] = useState(false);

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
  const leave = async () => {
    await endSession().catch(() => undefined);
    close("left");
  };
  return (
    <PasteProvider onTaken={showPasted}>
      <Frame
        app={settings.build.name}
        steps={<StepList current={step} settings={settings} />}
        notices={<PageNotices />}
        footer={
          <>
            <p>This page talks to nobody but Keyloan.</p>
            <button type="button" className="link" onClick={leave}>
              Leave this page
            </button>
          </>
        }
      >
        {step === "start" && <StartPage onStart={() => toKeys()} />}
        {step === "keys" && (
          <KeysPage
            key={targetKey(target)}
            target={target}
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
        {step === "done" && <DonePage onLeave={leave} />}
      </Frame>
    </PasteProvider>
  );
}

function targetKey(target: KeyTarget | undefined): string {
  return `${target?.service} ${target?.variable}`;
}
