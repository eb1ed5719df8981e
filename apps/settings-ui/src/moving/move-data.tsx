import type { MovableView } from "@keyloan/contract";
import { databaseFilePath } from "../api/transfers.ts";
import type { Service } from "../keys/services.ts";
import { useSettings } from "../state/settings.tsx";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { Icon } from "../ui/icon.tsx";
import { Notice } from "../ui/notice.tsx";
import { Countdown, Moment } from "../ui/time.tsx";
import { NotEmpty } from "./not-empty.tsx";
import { Receipts } from "./receipts.tsx";
import { TransferRow } from "./transfer-row.tsx";
import { isMoving, type Refused, type Transfers } from "./use-transfers.ts";

/** Taking along what the app stored so far: what it is, how far it is, and what stands in the way. */
export function MoveData({
  transfers,
  services,
}: {
  readonly transfers: Transfers;
  /** The services that are about to be switched. */
  readonly services: readonly Service[];
}) {
  const entries = entriesOf(transfers, services);
  const moving = entries.some(({ movable }) => isMoving(movable));
  const startable = startableOf(entries, transfers);
  const copied = entries.filter(({ movable }) => movable.transfer?.state === "copied");
  const whole = copied.length === entries.length;
  if (entries.length === 0) {
    return transfers.failure === undefined ? null : <FailureNotice failure={transfers.failure} />;
  }
  return (
    <section aria-labelledby="move-title" className="space-y-4">
      <h2 id="move-title" className="text-lg font-semibold">
        {titleOf(moving, copied.length > 0, whole)}
      </h2>
      {!moving && copied.length === 0 && <Offer entries={entries} />}
      <ul className="divide-y divide-line rounded-card border border-line bg-surface">
        {entries.map(({ service, movable }) => (
          <TransferRow key={service.id} service={service} movable={movable} />
        ))}
      </ul>
      {moving && (
        <p className="text-sm text-ink-2">
          You can leave this page; the copy continues. While a database is being copied, your app can read
          from it but not change it.
        </p>
      )}
      {entries.map((entry) => (
        <Problem key={entry.service.id} entry={entry} transfers={transfers} />
      ))}
      {!moving && copied.length > 0 && <Copied copied={copied} whole={whole} transfers={transfers} />}
      {transfers.failure !== undefined && <FailureNotice failure={transfers.failure} />}
      {!moving && startable.length > 0 && (
        <Button look="primary" busy={transfers.busy} onClick={() => transfers.move(startable)}>
          {startText(entries, copied.length > 0)}
        </Button>
      )}
      {moving && (
        <Button busy={transfers.busy} onClick={transfers.stop}>
          Stop moving
        </Button>
      )}
    </section>
  );
}

function titleOf(moving: boolean, some: boolean, whole: boolean): string {
  if (moving) return "Moving your data";
  if (whole) return "Your data is moved";
  return some ? "Part of your data is moved" : "Take your data with you";
}

export type Entry = { readonly service: Service; readonly movable: MovableView };

/** What of these services can be moved. */
export function entriesOf({ movable = [] }: Transfers, services: readonly Service[]): Entry[] {
  return services.flatMap((service) => {
    const found = movable.find(({ connector }) => connector === service.id);
    return found === undefined || found.waitsFor === "switched" ? [] : [{ service, movable: found }];
  });
}

/** Files first: the app can go on writing while they are copied. */
function startableOf(entries: readonly Entry[], transfers: Transfers): string[] {
  const ready = entries.filter((entry) => entry.movable.canStart && !meetsSomething(entry, transfers));
  const last = ({ movable }: Entry) => Number(movable.kind === "database");
  return ready.toSorted((a, b) => last(a) - last(b)).map(({ service }) => service.id);
}

/** Whether its target was found not empty: it waits for a clear yes then. */
function meetsSomething({ service, movable: { transfer } }: Entry, { refused }: Transfers): boolean {
  const answer = refused.find(({ connector }) => connector === service.id)?.failure.code;
  const ended = transfer?.state === "failed" ? transfer.error?.code : undefined;
  return [answer, ended].includes("target_not_empty");
}

function startText(entries: readonly Entry[], more: boolean): string {
  if (more) return "Move the rest";
  const again = entries.some(({ movable: { transfer } }) => transfer?.state === "failed");
  return again ? "Try again" : "Move my data";
}

function Offer({ entries }: { readonly entries: readonly Entry[] }) {
  const { id: build } = useSettings().settings.build;
  const databases = entries.filter(({ movable }) => movable.kind === "database");
  return (
    <div className="space-y-2 text-ink-2">
      <p>
        The data that your app has stored so far is in the lent accounts. We can copy it into yours, compare
        both sides, and only then let you switch. This does not delete anything on the lent side.
      </p>
      {databases.map(({ service }) => (
        <p key={service.id}>
          <a
            className="link inline-flex items-center gap-1"
            href={databaseFilePath(service.id, build)}
            download
          >
            <Icon name="download" />
            Download the {service.label} database as a file
          </a>
        </p>
      ))}
    </div>
  );
}

function Problem({ entry, transfers }: { readonly entry: Entry; readonly transfers: Transfers }) {
  const { service, movable } = entry;
  const { transfer } = movable;
  if (isMoving(movable)) return null;
  const refused: Refused | undefined = transfers.refused.find(({ connector }) => connector === service.id);
  const ended = transfer?.state === "failed" ? transfer.error : undefined;
  if (meetsSomething(entry, transfers)) {
    const move = (overwrite: boolean) => void transfers.move([service.id], overwrite);
    return (
      <NotEmpty
        service={service}
        kind={movable.kind}
        found={ended?.message}
        busy={transfers.busy}
        onMove={move}
      />
    );
  }
  if (refused !== undefined) return <FailureNotice failure={refused.failure} />;
  if (ended === undefined) return null;
  const { code, message, remedy, requestId } = ended;
  return (
    <FailureNotice failure={{ code, message, remedy, ...(requestId === undefined ? {} : { requestId }) }} />
  );
}

function Copied({
  copied,
  whole,
  transfers,
}: {
  readonly copied: readonly Entry[];
  readonly whole: boolean;
  readonly transfers: Transfers;
}) {
  const until = copied.flatMap(({ movable: { transfer } }) => transfer?.switchBy ?? []).toSorted()[0];
  const stopped = copied.some(({ movable: { transfer } }) => transfer?.sourceReadOnly === true);
  return (
    <Notice
      tone="good"
      title={whole ? "You can switch now" : "The moved data is ready for the switch"}
      actions={
        <>
          <Receipts />
          <ConfirmDialog
            trigger={{ children: "Undo the copy", small: true, busy: transfers.busy }}
            title="Undo the copy?"
            confirm="Undo the copy"
            onConfirm={transfers.stop}
          >
            <p>
              Your app can change its lent data again at once. The copied tables are removed from your own
              database; copied files stay there. You can move again later.
            </p>
          </ConfirmDialog>
        </>
      }
    >
      {until !== undefined && (
        <p>
          Switch by <Moment at={until} /> (<Countdown until={until} /> left).
          {stopped
            ? " Until then your app can read its data but not change it, so that nothing gets lost. After that it can write again, and you will have to move the data once more."
            : " After that you will have to move the data once more."}
        </p>
      )}
    </Notice>
  );
}
