import { Fragment, type ReactNode, useId, useState } from "react";
import { makeRecoveryCode } from "../api/persons.ts";
import type { Failure } from "../api/request.ts";
import { saveFile } from "../handoff/save-file.ts";
import { useSettings } from "../state/settings.tsx";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { Icon } from "../ui/icon.tsx";
import { useAnnounce } from "../ui/live-region.tsx";
import { recoveryFile, recoveryFileName } from "./recovery-text.ts";

/** The recovery code while this page still has it: to copy or to download, and never in the way. */
export function RecoveryBox({ onHide }: { readonly onHide?: () => void }) {
  const { recovery } = useSettings();
  const title = useId();
  if (recovery === undefined) return null;
  return (
    <section
      aria-labelledby={title}
      className="flex gap-3 rounded-card border border-line bg-surface p-4 sm:p-5"
    >
      <Icon name="key" className="mt-0.5 hidden size-5 text-ink-3 sm:block" />
      <div className="min-w-0 flex-1 space-y-3">
        <h2 id={title} className="font-semibold">
          Your recovery code
        </h2>
        <p className="text-ink-2">
          We know you by this browser. On any other device, this code lets you in. We show it only now. You
          can make a new one at any time: then this one stops working, and every other browser is signed out.
        </p>
        <Code key={recovery.code} code={recovery.code} {...(onHide === undefined ? {} : { onHide })} />
      </div>
    </section>
  );
}

function Code({ code, onHide }: { readonly code: string; readonly onHide?: () => void }) {
  const { settings } = useSettings();
  const announce = useAnnounce();
  const [kept, setKept] = useState<string>();
  const copy = async () => {
    const done = await navigator.clipboard.writeText(code).then(
      () => true,
      () => false,
    );
    tell(done ? "Copied." : "Your browser does not let us copy: select the code and copy it yourself.");
  };
  const download = () => {
    const address = `${location.origin}/settings`;
    saveFile(
      recoveryFileName,
      new Blob([recoveryFile(code, settings.build.name, address)], { type: "text/plain" }),
    );
    tell(`Downloaded as ${recoveryFileName}.`);
  };
  const tell = (text: string) => {
    setKept(text);
    announce(text);
  };
  return (
    <>
      <p className="rounded-control border border-line bg-sunken px-3 py-2 font-mono text-sm select-all">
        {groupsOf(code)}
      </p>
      <div className="flex flex-wrap items-center gap-3">
        <Button small onClick={copy}>
          <Icon name="copy" />
          Copy
        </Button>
        <Button small onClick={download}>
          <Icon name="download" />
          Download
        </Button>
        {onHide !== undefined && (
          <Button small look="quiet" onClick={onHide}>
            Hide
          </Button>
        )}
      </div>
      <p className="min-h-5 text-sm text-ink-3">{kept ?? "Keep it safe, like a password."}</p>
    </>
  );
}

/** A line may end after a dash, and nowhere else. */
function groupsOf(code: string): ReactNode {
  return code.split(/(?<=-)/).map((group) => (
    <Fragment key={group}>
      {group}
      <wbr />
    </Fragment>
  ));
}

const signedOut = "The old code no longer works, and every other browser and device was signed out.";

/** A new code in place of one that is lost, or that this page does not have any more. */
export function NewRecoveryCode() {
  const { recovery, keepRecovery, settle, during } = useSettings();
  const announce = useAnnounce();
  const [busy, setBusy] = useState(false);
  const [made, setMade] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const make = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      keepRecovery(await during(makeRecoveryCode));
      setMade(true);
      announce(`Your new recovery code is shown. ${signedOut}`);
    } catch (error) {
      setFailure(await settle(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="space-y-3">
      {recovery !== undefined && <RecoveryBox />}
      {failure !== undefined && <FailureNotice failure={failure} />}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <ConfirmDialog
          trigger={{ children: "Make a new code", busy, small: true }}
          title="Make a new recovery code?"
          confirm="Make a new code"
          onConfirm={make}
        >
          <p>
            The code you have now stops working at once, and every other browser or device where this page is
            open as you is signed out. To open this page there again, use the new code. We show it only once.
          </p>
        </ConfirmDialog>
        <p className="text-sm text-ink-2">
          {made
            ? signedOut
            : "We show a code only once. If you did not keep yours, or somebody else may have it, make a new one: the old one stops working, and every other browser is signed out."}
        </p>
      </div>
    </div>
  );
}
