import type { StartOverView } from "@keyloan/contract";
import { useEffect, useRef } from "react";
import { endStartOver, startOver } from "../api/persons.ts";
import { useSettings } from "../state/settings.tsx";
import { useWrite } from "../state/use-write.ts";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { useAnnounce } from "../ui/live-region.tsx";
import { Notice } from "../ui/notice.tsx";
import { Countdown, Moment, useNow } from "../ui/time.tsx";

const waitingPollMs = 15_000;

/** The way on for a user who has neither the browser nor the code: ask, wait, and become the person. */
export function StartOver() {
  const { settings } = useSettings();
  const { startOver: asked } = settings.person;
  const waiting = asked?.state === "waiting";
  const section = useRef<HTMLElement>(null);
  // The button that had the focus gives way to what came of it.
  const before = useRef(waiting);
  useEffect(() => {
    if (before.current !== waiting && document.activeElement === document.body) section.current?.focus();
    before.current = waiting;
  }, [waiting]);
  return (
    <section ref={section} tabIndex={-1} aria-labelledby="start-over-title" className="space-y-3">
      <h2 id="start-over-title" className="text-lg font-semibold">
        Start over
      </h2>
      {asked?.state === "refused" && (
        <Notice tone="warn" title="The person who saved the keys refused">
          <p>They are still there and want to keep their keys. Ask the tool that sent you the link.</p>
        </Notice>
      )}
      {waiting ? <Waiting asked={asked} /> : <Ask ended={asked} />}
    </section>
  );
}

function Ask({ ended }: { readonly ended: StartOverView | undefined }) {
  const { settings } = useSettings();
  const announce = useAnnounce();
  const { busy, failure, write } = useWrite();
  const inUse = settings.bindings.some(({ source }) => source === "user");
  const provable = settings.person.standing === "someone_else";
  const againAt = ended?.againAt;
  const held = useNow(10_000) < new Date(againAt ?? 0).getTime();
  const ask = async () => {
    if (await write(startOver)) announce("You asked to start over.");
  };
  return (
    <>
      <p className="text-ink-2">
        {provable
          ? "If you have lost both the browser and the code, you can replace these keys with your own."
          : "You replace these keys with your own."}
      </p>
      {failure !== undefined && <FailureNotice failure={failure} />}
      <ConfirmDialog
        trigger={{ children: busy ? "Asking…" : "Start over…", busy, off: held }}
        title="Start over with your own keys?"
        confirm="Start over"
        look="danger"
        onConfirm={ask}
      >
        {inUse ? (
          <p>
            The app keeps using the keys it uses now. Nobody can read them any more, and they are deleted once
            you have switched to yours. This can start 24 hours from now.
          </p>
        ) : (
          <p>
            Everything saved here is deleted. If something was saved in the last 24 hours, this starts only
            after 24 hours.
          </p>
        )}
        {provable && (
          <p>
            We tell the person who saved the keys when you asked and from which address; until then they can
            refuse. Afterwards their browser and their code no longer open anything here.
          </p>
        )}
      </ConfirmDialog>
      {held && againAt !== undefined && (
        <p className="text-sm text-ink-2">
          This was {ended?.state}. You can ask again from <Moment at={againAt} />.
        </p>
      )}
    </>
  );
}

function Waiting({ asked }: { readonly asked: StartOverView }) {
  const { refresh } = useSettings();
  const announce = useAnnounce();
  const { busy, failure, write } = useWrite();
  const over = new Date(asked.dueAt).getTime() <= useNow(1000);
  // It begins, is refused or withdrawn without this page doing anything.
  useEffect(() => {
    if (over) refresh();
    const timer = setInterval(refresh, waitingPollMs);
    return () => clearInterval(timer);
  }, [over, refresh]);
  const withdraw = async () => {
    if (await write(endStartOver)) announce("Withdrawn. Nothing changed.");
  };
  return (
    <>
      <Notice
        tone="accent"
        icon="clock"
        title={asked.mine ? "You asked to start over" : "Somebody asked to start over"}
        actions={
          asked.mine && (
            <Button small busy={busy} onClick={withdraw}>
              Withdraw
            </Button>
          )
        }
      >
        {over ? (
          <p>The time is up. This page continues automatically in a moment.</p>
        ) : (
          <p>
            It starts <Moment on at={asked.dueAt} /> (<Countdown until={asked.dueAt} /> left), unless the
            person who saved the keys refuses.
          </p>
        )}
        {asked.mine && !over && <p>You can close this page and come back with a new link.</p>}
      </Notice>
      {failure !== undefined && <FailureNotice failure={failure} />}
    </>
  );
}
