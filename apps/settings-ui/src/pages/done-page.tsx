import { EnvFile } from "../handoff/env-file.tsx";
import { PreviewPanel } from "../handoff/preview-panel.tsx";
import { MovedNote } from "../moving/moved-note.tsx";
import { useTransfers } from "../moving/use-transfers.ts";
import { Leave } from "../person/leave-dialog.tsx";
import { useSettings } from "../state/settings.tsx";
import { Details } from "../ui/details.tsx";
import { Icon } from "../ui/icon.tsx";
import { PageHeading } from "../ui/page-heading.tsx";
import { Moment, useNow } from "../ui/time.tsx";

/** The end: what is true now, and what is left to do elsewhere. */
export function DonePage() {
  const { settings, services } = useSettings();
  const transfers = useTransfers();
  const now = useNow(10_000);
  const { lendingEndsAt, lendingEndedAt } = settings;
  const ending =
    lendingEndedAt === undefined && lendingEndsAt !== undefined && new Date(lendingEndsAt).getTime() > now;
  return (
    <div className="space-y-8">
      <PageHeading lead={<p>It runs only on your own accounts and no longer uses anything that was lent.</p>}>
        {`${settings.build.name} is yours`}
      </PageHeading>
      <ul className="divide-y divide-line rounded-card border border-line bg-surface">
        {services.map(({ id, label, needed }) => (
          <li key={id} className="flex items-center gap-3 px-4 py-3 sm:px-5">
            <Icon name="check" className="size-5 text-good" />
            <span className="font-medium">{label}</span>
            <span className="ml-auto text-sm text-ink-2">
              {needed.length === 0 ? "made for you" : "your own keys"}
            </span>
          </li>
        ))}
      </ul>
      <section className="space-y-2">
        <h2 className="text-lg font-semibold">What happens now</h2>
        <ul className="list-disc space-y-1 pl-5 text-ink-2">
          <li>
            {ending ? (
              <>
                The lent keys and their data end <Moment on at={lendingEndsAt} />.
              </>
            ) : (
              `The lent keys and their data ${lendingEndedAt === undefined ? "are being ended" : "have ended"}.`
            )}
          </li>
          <li>Our access to your app’s keys ends with them; after that, only your file has them.</li>
          <li>
            Until then only you can open this page: in a browser that knows you, or with your recovery code.
          </li>
          <li>Keep your file safe. If others ever see it, make new keys at the services.</li>
        </ul>
      </section>
      <MovedNote transfers={transfers} />
      <PreviewPanel isMoved={transfers.wasMoved} />
      <Details label="Download the file once more">
        <EnvFile />
      </Details>
      <Leave look="primary" />
    </div>
  );
}
