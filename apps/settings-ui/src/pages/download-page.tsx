import { useState } from "react";
import { finish, revert } from "../api/calls.ts";
import type { Failure } from "../api/request.ts";
import { EnvFile } from "../handoff/env-file.tsx";
import { GoBack } from "../handoff/go-back.tsx";
import { MovedNote } from "../moving/moved-note.tsx";
import { useTransfers } from "../moving/use-transfers.ts";
import { useSettings } from "../state/settings.tsx";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { Notice } from "../ui/notice.tsx";
import { PageHeading } from "../ui/page-heading.tsx";

/** After the switch: the way back with its deadline, the file, and the end of it all. */
export function DownloadPage({
  onAddRest,
  onReverted,
  onFinished,
}: {
  readonly onAddRest: () => void;
  readonly onReverted: () => void;
  readonly onFinished: () => void;
}) {
  const { settings, services, latest, apply, settle, during } = useSettings();
  const [busy, setBusy] = useState<"revert" | "finish">();
  const [failure, setFailure] = useState<Failure>();
  const transfers = useTransfers();
  const moved = transfers.movable?.some(({ transfer }) => transfer?.state === "switched") === true;
  const lent = services.filter(({ binding }) => binding.source === "org");

  const write = async (kind: "revert" | "finish") => {
    setBusy(kind);
    setFailure(undefined);
    try {
      apply(await during(() => (kind === "revert" ? revert : finish)(latest().version)));
      if (kind === "revert") onReverted();
      else onFinished();
    } catch (error) {
      setFailure(await settle(error));
    } finally {
      setBusy(undefined);
    }
  };
  return (
    <div className="space-y-8">
      <PageHeading
        lead={<p>Take the file with your settings. Your app reads its keys from it wherever you run it.</p>}
      >
        Download your settings
      </PageHeading>
      <GoBack
        until={settings.revertibleUntil}
        whole={lent.length === 0}
        moved={moved}
        busy={busy === "revert"}
        onRevert={() => write("revert")}
      />
      {failure !== undefined && <FailureNotice failure={failure} />}
      <MovedNote transfers={transfers} />
      {lent.length > 0 ? (
        <Notice
          tone="plain"
          title="The download opens when everything is yours"
          actions={
            <Button look="primary" onClick={onAddRest}>
              Add the rest
            </Button>
          }
        >
          <p>
            Still lent: {lent.map(({ label }) => label).join(", ")}. A lent key in your file would stop
            working soon.
          </p>
        </Notice>
      ) : (
        <>
          <EnvFile />
          <section className="space-y-3 border-t border-line pt-6">
            <h2 className="text-lg font-semibold">Everything works?</h2>
            <p className="text-ink-2">
              Start your app with the new file and look around in it. When it does what it should, finish:
              that gives back what was lent.
            </p>
            <ConfirmDialog
              trigger={{ children: busy === "finish" ? "Finishing…" : "Finish", busy: busy === "finish" }}
              title="Give back what was lent?"
              confirm="Finish"
              onConfirm={() => write("finish")}
            >
              <p>Your app keeps your own keys. After this there is no button to go back to the lent ones.</p>
              <p>
                {moved
                  ? "The data that came along is in your own accounts. What is still in the lent ones is deleted when they end."
                  : "What your app stored with the lent keys is deleted when they end, so copy what you need before."}
              </p>
            </ConfirmDialog>
          </section>
        </>
      )}
    </div>
  );
}
