import type { MovableView } from "@keyloan/contract";
import type { Service } from "../keys/services.ts";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { Notice } from "../ui/notice.tsx";
import { Prose, sentence } from "../ui/prose.tsx";

/** That something is already where the data should go, and the one way on that needs a clear yes. */
export function NotEmpty({
  service,
  kind,
  found,
  busy,
  onMove,
}: {
  readonly service: Service;
  readonly kind: MovableView["kind"];
  /** What is in the way, when the move found that under way. */
  readonly found: string | undefined;
  readonly busy: boolean;
  readonly onMove: (overwrite: boolean) => void;
}) {
  const { label } = service;
  const database = kind === "database";
  return (
    <Notice
      tone="warn"
      title={database ? `Your ${label} database is not empty` : `Your ${label} already contains files`}
      actions={
        <>
          <Button small busy={busy} onClick={() => onMove(false)}>
            Look again
          </Button>
          <ConfirmDialog
            trigger={{
              children: database ? "Delete its content, and move…" : "Replace files, and move…",
              look: "danger",
              small: true,
              busy,
            }}
            title={
              database ? `Delete everything in your ${label} database?` : `Replace files in your ${label}?`
            }
            confirm={database ? "Delete everything and move" : "Replace and move"}
            look="danger"
            onConfirm={() => onMove(true)}
          >
            {database ? (
              <>
                <p>
                  Every table in your own {label} database is deleted first, with all its data. Then your
                  app’s data is copied there.
                </p>
                <p>You cannot undo this. Do it only if you do not need anything in that database any more.</p>
              </>
            ) : (
              <p>
                If a file with the same name already exists there, your app’s file replaces it. No other file
                is touched. You cannot get replaced files back.
              </p>
            )}
          </ConfirmDialog>
        </>
      }
    >
      {found !== undefined && (
        <p>
          <Prose text={sentence(found)} />
        </p>
      )}
      <p>
        Nothing of yours was touched. The safe way is to make{" "}
        {database ? "an empty database" : "an empty bucket"} and to save its keys under “Your keys”.
      </p>
    </Notice>
  );
}
