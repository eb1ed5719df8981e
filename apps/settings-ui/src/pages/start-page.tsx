import type { ReactNode } from "react";
import { KeptUntil } from "../person/kept-until.tsx";
import { count } from "../state/paste.tsx";
import { useSettings } from "../state/settings.tsx";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { Notice } from "../ui/notice.tsx";
import { PageHeading } from "../ui/page-heading.tsx";

const promises = [
  "Each key is tested at the service before it is used.",
  "Nothing changes for your app until you switch, and you can go back for a while.",
];

/** What this is about, what is needed, and what will happen, before anyone is asked for a key. */
export function StartPage({ onStart }: { readonly onStart: () => void }) {
  const { settings, services } = useSettings();
  const inherited = services.some((service) => service.inherited);
  const minutes = Math.max(5, services.filter(({ needed }) => needed.length > 0).length * 3);
  return (
    <div className="space-y-8">
      <PageHeading
        lead={
          <>
            <p>
              Your app runs on keys that {inherited ? "somebody saved here before you" : "were lent to it"}. A
              key is a long password that an app uses to reach a service, such as its database. Here you
              replace them with your own keys, so that only you control the app.
              {inherited && " Nobody can read the earlier ones; they are deleted when you switch."}
            </p>
            <p>
              You need about {minutes} minutes, and no technical knowledge: each step tells you exactly what
              to do.
            </p>
          </>
        }
      >
        {`Make ${settings.build.name} yours`}
      </PageHeading>
      {settings.build.state === "provisioning" && (
        <Notice tone="plain" icon="clock" title="Your app is still being set up">
          <p>Its lent keys are still being made. You can look around; in a minute you can save keys.</p>
        </Notice>
      )}
      <section className="space-y-3">
        <h2 className="text-lg font-semibold">Your app uses {count(services.length, "service")}</h2>
        <ul className="divide-y divide-line rounded-card border border-line bg-surface">
          {services.map(({ id, label, summary, needed }) => (
            <li key={id} className="flex flex-wrap items-baseline justify-between gap-x-4 px-4 py-3 sm:px-5">
              <div className="min-w-0 flex-1 basis-64">
                <p className="font-medium">{label}</p>
                <p className="text-sm text-ink-2">{summary}</p>
              </div>
              <p className="text-sm text-ink-3">
                {needed.length === 0 ? "nothing to type" : `${count(needed.length, "value")} to add`}
              </p>
            </li>
          ))}
        </ul>
      </section>
      <section className="space-y-3">
        <h2 className="text-lg font-semibold">You can safely try this</h2>
        <ul className="space-y-2">
          {promises.map((promise) => (
            <Promised key={promise}>{promise}</Promised>
          ))}
          <Promised>
            Everything you save is kept <KeptUntil />. Until then you can stop at any time and come back in
            this browser.
            {settings.build.state !== "handing_off" && " If you have not switched by then, it is deleted."}
          </Promised>
        </ul>
      </section>
      <Button look="primary" onClick={onStart}>
        Start
        <Icon name="arrow" />
      </Button>
    </div>
  );
}

function Promised({ children }: { readonly children: ReactNode }) {
  return (
    <li className="flex gap-3 text-ink-2">
      <Icon name="check" className="mt-0.5 size-5 text-good" />
      <span className="min-w-0">{children}</span>
    </li>
  );
}
