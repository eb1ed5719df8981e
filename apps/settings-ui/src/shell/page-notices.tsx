import { useEffect, useRef, useState } from "react";
import { useSettings } from "../state/settings.tsx";
import { Button } from "../ui/button.tsx";
import { useAnnounce } from "../ui/live-region.tsx";
import { Notice } from "../ui/notice.tsx";
import { Countdown, useNow } from "../ui/time.tsx";

const warnBeforeMs = 5 * 60_000;

/** What concerns the whole page: the connection, another tab, the end of the session. */
export function PageNotices() {
  return (
    <>
      <ConnectionNotice />
      <ChangeNotice />
      <SessionNotice />
    </>
  );
}

function ConnectionNotice() {
  const { connection, refresh } = useSettings();
  const announce = useAnnounce();
  const [busy, setBusy] = useState(false);
  const last = useRef(connection);
  useEffect(() => {
    if (last.current === connection) return;
    last.current = connection;
    announce(connection === "good" ? "You are connected again." : titles[connection]);
  }, [announce, connection]);
  if (connection === "good") return null;
  const retry = async () => {
    setBusy(true);
    await refresh();
    setBusy(false);
  };
  return (
    <Notice
      floating
      tone="warn"
      icon="offline"
      title={titles[connection]}
      actions={
        <Button small busy={busy} onClick={retry}>
          Try again
        </Button>
      }
    >
      <p>
        Everything you saved is safe, and everything you typed stays while this page is open.
        {connection === "offline" && " We continue automatically when you are back online."}
      </p>
    </Notice>
  );
}

const titles = { offline: "You are offline", unreachable: "We cannot reach Keyloan right now" } as const;

function ChangeNotice() {
  const { changedElsewhere, dismissChange } = useSettings();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (changedElsewhere) box.current?.focus();
  }, [changedElsewhere]);
  if (!changedElsewhere) return null;
  return (
    <Notice
      floating
      ref={box}
      tone="accent"
      title="Changed in another tab"
      actions={
        <Button small onClick={dismissChange}>
          Understood
        </Button>
      }
    >
      <p>
        This is the new state. Your last change was not saved: it is still here, so check it and press the
        button again.
      </p>
    </Notice>
  );
}

function SessionNotice() {
  const { settings, refresh } = useSettings();
  const { expiresAt } = settings.session;
  const left = new Date(expiresAt).getTime() - useNow(1000);
  const over = left <= 0;
  useEffect(() => {
    // The broker decides: another tab may have made the session longer.
    if (over) refresh();
  }, [over, refresh]);
  if (left > warnBeforeMs || over) return null;
  return (
    <Notice
      floating
      tone="warn"
      icon="clock"
      title={
        <>
          This visit ends in <Countdown until={expiresAt} />
        </>
      }
      actions={
        <Button small onClick={refresh}>
          Stay here
        </Button>
      }
    >
      <p>Everything you saved is kept. Anything you typed and did not save is lost.</p>
    </Notice>
  );
}
