import { useState } from "react";
import { changePreview } from "../api/calls.ts";
import type { Service } from "../keys/services.ts";
import { useSettings } from "../state/settings.tsx";
import { useWrite } from "../state/use-write.ts";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { useAnnounce } from "../ui/live-region.tsx";
import { sentence } from "../ui/prose.tsx";
import { Moment } from "../ui/time.tsx";
import { type PreviewGroup, PreviewRows, previewGroups } from "./preview-rows.tsx";

/** What the app builder's preview may use after the switch, and what it has read. */
export function PreviewPanel({ isMoved }: { readonly isMoved: (service: Service) => boolean }) {
  const { settings, services } = useSettings();
  const announce = useAnnounce();
  const { failure, write } = useWrite();
  // Shown at once, and taken back when it fails.
  const [chosen, setChosen] = useState<Readonly<Record<string, boolean>>>({});
  const shown = services.filter(({ inUse }) => inUse);
  if (shown.length === 0) return null;
  const groups = previewGroups(shown, isMoved);
  const open = settings.finishedAt === undefined && settings.lendingEndedAt === undefined;
  const answer = async ({ id, services: together }: PreviewGroup, allowed: boolean) => {
    setChosen((before) => ({ ...before, [id]: allowed }));
    const answers = Object.fromEntries(together.map(({ id }) => [id, allowed]));
    const done = await write((version) => changePreview(answers, version));
    setChosen(({ [id]: _, ...others }) => others);
    if (done) announce(allowed ? "The preview may now use them." : "The preview no longer gets them.");
  };
  return (
    <section aria-labelledby="preview-panel-title" className="space-y-3">
      <h2 id="preview-panel-title" className="text-lg font-semibold text-pretty">
        {open ? "May the app builder’s preview use your keys?" : "What the app builder’s preview has read"}
      </h2>
      {open ? (
        <p className="text-ink-2">
          When you finish, it gets none of them. Choosing No works at once, but cannot undo what the preview
          has already read.
        </p>
      ) : (
        <p className="text-ink-2">It no longer gets any of your keys.</p>
      )}
      {failure !== undefined && <FailureNotice failure={failure} />}
      {open ? (
        <PreviewRows
          groups={groups}
          answerOf={({ id, services: together }) =>
            chosen[id] ?? together.every(({ binding }) => binding.preview?.allowed === true)
          }
          noteOf={({ services: together }) =>
            together.map((service) => (
              <Reads key={service.id} service={service} named={together.length > 1} open />
            ))
          }
          onAnswer={answer}
        />
      ) : (
        <ul className="divide-y divide-line rounded-card border border-line bg-surface px-4 py-1 sm:px-5">
          {shown.map((service) => (
            <li key={service.id} className="py-2">
              <Reads service={service} named open={false} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** How often the preview was given the person's values of a service, and when last. */
function Reads({
  service,
  named,
  open,
}: {
  readonly service: Service;
  readonly named: boolean;
  /** More may be read. */
  readonly open: boolean;
}) {
  const { preview } = service.binding;
  if (preview === undefined) return null;
  const { asked, reads, lastReadAt } = preview;
  const read = named ? `${service.label}: read` : "Read";
  const unread = open ? "not read yet" : "never read";
  return (
    <p className="text-sm text-ink-3">
      {!asked && "You switched before this page asked the question, which counts as yes. "}
      {reads === 0 ? (
        sentence(named ? `${service.label}: ${unread}` : unread)
      ) : (
        <>
          {read} {reads === 1 ? "once" : `${reads} times`}
          {lastReadAt !== undefined && (
            <>
              , last <Moment on at={lastReadAt} />
            </>
          )}
          .
        </>
      )}
    </p>
  );
}
