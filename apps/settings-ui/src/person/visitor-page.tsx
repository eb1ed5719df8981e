import { cardState } from "../keys/card-state.ts";
import { fieldOf, type Service } from "../keys/services.ts";
import { StatePill } from "../keys/state-pill.tsx";
import type { OpenPage } from "../state/open-page.ts";
import { useSettings } from "../state/settings.tsx";
import { PageHeading } from "../ui/page-heading.tsx";
import { RecoveryForm } from "./recovery-form.tsx";
import { StartOver } from "./start-over.tsx";
import { StartedOver } from "./started-over.tsx";

/** For a user who has not proven to be the person: what is there, masked, and the ways to become them. */
export function VisitorPage({ openRecovery }: Pick<OpenPage, "openRecovery">) {
  const { settings, services } = useSettings();
  const { standing, replaced } = settings.person;
  const { name } = settings.build;
  const provable = standing === "someone_else";
  return (
    <div className="space-y-8">
      <PageHeading
        lead={
          provable ? (
            <p>
              They were saved in another browser, so they may not be yours. You can see what is saved, but you
              cannot change anything. If you saved them, open this page in that browser or enter your recovery
              code.
            </p>
          ) : (
            <p>
              They were saved before this page recorded who owns which keys, so nobody can prove that they own
              them. They stay sealed. To continue, start over with your own keys.
            </p>
          )
        }
      >
        {`Keys for ${name} are already saved`}
      </PageHeading>
      {replaced !== undefined && <StartedOver app={name} {...replaced} />}
      <section aria-labelledby="saved-title" className="space-y-3">
        <h2 id="saved-title" className="text-lg font-semibold">
          What is saved
        </h2>
        <ul className="divide-y divide-line rounded-card border border-line bg-surface">
          {services.map((service) => (
            <SavedRow key={service.id} service={service} />
          ))}
        </ul>
      </section>
      {provable && (
        <section
          aria-labelledby="recovery-title"
          className="space-y-4 rounded-card border border-line bg-surface p-4 sm:p-5"
        >
          <h2 id="recovery-title" className="text-lg font-semibold">
            I have a recovery code
          </h2>
          <RecoveryForm onOpen={openRecovery} />
        </section>
      )}
      <StartOver />
    </div>
  );
}

function SavedRow({ service }: { readonly service: Service }) {
  const { saved } = service.binding;
  return (
    <li className="space-y-1 px-4 py-3 sm:px-5">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <p className="font-medium">{service.label}</p>
        <StatePill state={cardState(service, undefined, { phase: "idle", repairs: [] })} />
      </div>
      {saved !== undefined && saved.fields.length > 0 && (
        <dl className="text-sm text-ink-2">
          {saved.fields.map(({ name, preview }) => (
            <div key={name} className="flex flex-wrap justify-between gap-x-4">
              <dt>{fieldOf(service, name)?.label ?? name}</dt>
              <dd className="min-w-0 font-mono break-all">{preview}</dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}
