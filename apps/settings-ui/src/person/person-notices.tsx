import { useState } from "react";
import { endStartOver } from "../api/persons.ts";
import { useSettings } from "../state/settings.tsx";
import { useWrite } from "../state/use-write.ts";
import { Button } from "../ui/button.tsx";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { useAnnounce } from "../ui/live-region.tsx";
import { Notice } from "../ui/notice.tsx";
import { focusHeading } from "../ui/page-heading.tsx";
import { Countdown, Moment } from "../ui/time.tsx";
import { KeptUntil, LentUntil } from "./kept-until.tsx";
import { StartedOver } from "./started-over.tsx";

/** What others did or ask for, at the top of every step. */
export function PersonNotices() {
  const { settings } = useSettings();
  const { person, adminRevert, build } = settings;
  const [refused, setRefused] = useState(false);
  return (
    <div className="mb-6 space-y-3 empty:hidden">
      {person.standing === "you" && person.startOver?.state === "waiting" && (
        <AskedToStartOver onRefused={() => setRefused(true)} />
      )}
      {refused && person.startOver?.state !== "waiting" && (
        <Notice
          tone="good"
          title={refusedTitle}
          actions={
            <Button small onClick={() => setRefused(false)}>
              Close
            </Button>
          }
        >
          <p>Nobody can ask again for 24 hours.</p>
        </Notice>
      )}
      {person.replaced !== undefined && <StartedOver app={build.name} {...person.replaced} />}
      {adminRevert !== undefined && (
        <Notice tone="warn" icon="undo" title="The people who run this page switched your app back">
          <p>
            It went back to the lent keys <Moment on at={adminRevert.at} />. The reason they gave:
          </p>
          <blockquote className="border-l-2 border-edge pl-3 whitespace-pre-line">
            {adminRevert.reason}
          </blockquote>
          <LentUntil />
          <p>
            Your own keys are kept <KeptUntil />. You can switch again.
          </p>
        </Notice>
      )}
    </div>
  );
}

const refusedTitle = "Refused. Everything stays yours.";

function AskedToStartOver({ onRefused }: { readonly onRefused: () => void }) {
  const { settings } = useSettings();
  const announce = useAnnounce();
  const { busy, failure, write } = useWrite();
  const asked = settings.person.startOver;
  if (asked === undefined) return null;
  const inUse = settings.bindings.some(({ source }) => source === "user");
  const refuse = async () => {
    if (!(await write(endStartOver))) return;
    onRefused();
    announce(refusedTitle);
    focusHeading();
  };
  return (
    <>
      <Notice
        tone="warn"
        title="Somebody asked to start over"
        actions={
          <Button small look="primary" busy={busy} onClick={refuse}>
            Refuse
          </Button>
        }
      >
        <p>
          They asked <Moment on at={asked.requestedAt} />
          {asked.from !== undefined && (
            <>
              {" "}
              from the address <span className="font-mono text-sm break-all">{asked.from}</span>
            </>
          )}
          . If you do not refuse by <Moment at={asked.dueAt} /> (<Countdown until={asked.dueAt} /> left), this
          page will belong to them:{" "}
          {inUse
            ? "your keys stay in use, and nobody can read them, until they have switched to their own."
            : "everything you saved is deleted."}
        </p>
      </Notice>
      {failure !== undefined && <FailureNotice failure={failure} />}
    </>
  );
}
