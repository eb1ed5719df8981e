import { finish, revert } from "../api/calls.ts";
import { EnvFile } from "../handoff/env-file.tsx";
import { GoBack } from "../handoff/go-back.tsx";
import { PreviewPanel } from "../handoff/preview-panel.tsx";
import { MovedNote } from "../moving/moved-note.tsx";
import { useTransfers } from "../moving/use-transfers.ts";
import { NewRecoveryCode } from "../person/recovery-box.tsx";
import { useSettings } from "../state/settings.tsx";
import { useWrite, type Write } from "../state/use-write.ts";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { Notice } from "../ui/notice.tsx";
import { PageHeading } from "../ui/page-heading.tsx";
import { Moment } from "../ui/time.tsx";

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
  const { settings, services } = useSettings();
  const back = useWrite();
  const end = useWrite();
  const transfers = useTransfers();
  const moved = transfers.movable?.some(({ transfer }) => transfer?.state === "switched") === true;
  const lent = services.filter(({ inUse }) => !inUse);
  // Services with nothing to type are made for the app, and hold nothing of it.
  const left = services.some((service) => service.needed.length > 0 && !transfers.wasMoved(service));

  const failure = back.failure ?? end.failure;
  return (
    <div className="space-y-8">
      <PageHeading
        lead={
          <p>Download the file with your settings. Your app reads its keys from it wherever you run it.</p>
        }
      >
        Download your settings
      </PageHeading>
      <GoBack
        until={settings.lendingEndedAt === undefined ? settings.revertibleUntil : undefined}
        whole={lent.length === 0}
        moved={moved}
        busy={back.busy}
        onRevert={async () => (await back.write(revert)) && onReverted()}
      />
      {failure !== undefined && <FailureNotice failure={failure} />}
      {settings.lendingEndedAt !== undefined && (
        <Notice tone="plain" icon="clock" title="The lent keys have ended">
          <p>
            They ended automatically <Moment on at={settings.lendingEndedAt} />, with their data. The app
            builder’s preview no longer gets any keys. Your download still works.
          </p>
        </Notice>
      )}
      <MovedNote transfers={transfers} />
      {lent.length > 0 ? (
        <Notice
          tone="plain"
          title="You can download the file when everything is yours"
          actions={
            <Button look="primary" onClick={onAddRest}>
              Add the rest
            </Button>
          }
        >
          <p>
            Not your own yet: {lent.map(({ label }) => label).join(", ")}. You cannot keep the keys of these
            services.
          </p>
        </Notice>
      ) : (
        <EnvFile />
      )}
      <PreviewPanel isMoved={transfers.wasMoved} />
      {lent.length === 0 && <Finish moved={moved} left={left} write={end} onFinished={onFinished} />}
    </div>
  );
}

/** The end: what it gives back, and what is needed to come back after it. */
function Finish({
  moved,
  left,
  write: { busy, write },
  onFinished,
}: {
  readonly moved: boolean;
  /** A service lent an account in which the app may have stored something. */
  readonly left: boolean;
  readonly write: Write;
  readonly onFinished: () => void;
}) {
  const { settings } = useSettings();
  const { lendingEndsAt } = settings;
  const over = settings.lendingEndedAt !== undefined;
  return (
    <section className="space-y-4 border-t border-line pt-6">
      <h2 className="text-lg font-semibold">Everything works?</h2>
      <p className="text-ink-2">
        Start your app with the new file and try it out. When everything works, finish:{" "}
        {over ? "after that, nothing can be changed here." : "this gives back the lent keys."}
        {!over && lendingEndsAt !== undefined && (
          <>
            {" "}
            If you do not, the lent keys end automatically <Moment on at={lendingEndsAt} />.
          </>
        )}
      </p>
      <h3 className="font-semibold">Make sure you can come back</h3>
      <p className="text-ink-2">
        After you finish, nobody can open this page again without this browser or your recovery code. We
        cannot open it either.
      </p>
      <NewRecoveryCode />
      <ConfirmDialog
        trigger={{ children: busy ? "Finishing…" : "Finish", busy }}
        title={over ? "Finish here?" : "Give back the lent keys?"}
        confirm="Finish"
        onConfirm={async () => (await write(finish)) && onFinished()}
      >
        {settings.downloadedAt === undefined && (
          <p className="font-medium text-ink">You have not downloaded your file yet.</p>
        )}
        {over ? (
          <p>Your app keeps using your own keys. After this, nothing can be changed here.</p>
        ) : (
          <>
            <p>
              Your app keeps using your own keys. After this, there is no button to go back to the lent ones.
            </p>
            {moved && <p>The data that was moved is in your own accounts.</p>}
            {left && (
              <p>
                {moved
                  ? "Data that is still in the lent accounts"
                  : "What your app stored with the lent keys"}{" "}
                is deleted when they end, so copy what you need first.
              </p>
            )}
          </>
        )}
        <p>Nobody can open this page again without this browser or your recovery code. We cannot either.</p>
      </ConfirmDialog>
    </section>
  );
}
