import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { Notice } from "../ui/notice.tsx";
import { Countdown, Moment, useNow } from "../ui/time.tsx";

/** That the switch is done, and until when it can be undone. */
export function GoBack({
  until,
  whole,
  moved,
  busy,
  onRevert,
}: {
  readonly until: string | undefined;
  /** Everything was switched, not only a part. */
  readonly whole: boolean;
  /** Data came along with the switch. */
  readonly moved: boolean;
  readonly busy: boolean;
  readonly onRevert: () => void;
}) {
  const now = useNow(1000);
  const open = until !== undefined && new Date(until).getTime() > now;
  return (
    <Notice
      tone="good"
      title={whole ? "Your app uses your own keys now" : "What you switched uses your own keys now"}
      actions={
        open && (
          <ConfirmDialog
            trigger={{ children: busy ? "Going back…" : "Go back to the lent keys", busy, small: true }}
            title="Go back to the lent keys?"
            confirm="Go back"
            onConfirm={onRevert}
          >
            <p>Your app uses the lent keys again at once, and sees the data it had with them.</p>
            {moved && (
              <p>
                Data that your app wrote since the switch is only in your own accounts: it stays there, and
                your app cannot see it with the lent keys.
              </p>
            )}
            <p>
              Your own keys stay saved, and the data in your own accounts stays there. You can switch again.
            </p>
          </ConfirmDialog>
        )
      }
    >
      {open ? (
        <p>
          You can go back until <Moment at={until} /> (<Countdown until={until} /> left). Until then we keep
          the lent keys for you.
        </p>
      ) : (
        <p>
          {until === undefined
            ? "You cannot go back to the lent keys any more."
            : "The time for going back is over."}{" "}
          If a key is wrong, change it under “Your keys” and switch again.
        </p>
      )}
    </Notice>
  );
}
