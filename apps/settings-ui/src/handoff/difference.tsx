import type { ReactNode } from "react";
import { accountText } from "../checks/check-text.ts";
import { fieldOf, type Service } from "../keys/services.ts";
import type { Entry } from "../moving/move-data.tsx";
import { totalText } from "../moving/moving-text.ts";
import { isMoving } from "../moving/use-transfers.ts";
import { useSettings } from "../state/settings.tsx";
import { Icon, type IconName } from "../ui/icon.tsx";
import { Prose, sentence } from "../ui/prose.tsx";
import { spanText } from "../ui/time.tsx";

const dataFallback = "Data that your app stored with the lent keys is not copied: it is deleted with them.";

/** Today and after, service by service, what happens to the data, and how to go back. */
export function Difference({
  changing,
  staying,
  entries,
}: {
  readonly changing: readonly Service[];
  readonly staying: readonly Service[];
  /** Those whose data can be moved, and how far it is. */
  readonly entries: readonly Entry[];
}) {
  return (
    <div className="space-y-4">
      <ul className="space-y-3">
        {changing.map((service) => (
          <li key={service.id} className="overflow-hidden rounded-card border border-line bg-surface">
            <h2 className="px-4 pt-3 pb-2 font-semibold sm:px-5">{service.label}</h2>
            <dl className="grid border-t border-line sm:grid-cols-2">
              <Side term="Today" icon={service.binding.source === "org" ? "loan" : "key"}>
                <Today service={service} />
              </Side>
              <Side term="After" icon="key" after>
                <After service={service} />
              </Side>
            </dl>
            <p className="flex gap-3 border-t border-line px-4 py-3 text-sm text-ink-2 sm:px-5">
              <Icon name="info" className="mt-0.5 text-ink-3" />
              <span className="min-w-0 break-words">
                <Prose text={sentence(dataText(service, entries))} />
              </span>
            </p>
          </li>
        ))}
      </ul>
      {staying.length > 0 && <Staying services={staying} />}
      <GoingBack />
    </div>
  );
}

function dataText(service: Service, entries: readonly Entry[]): string {
  const movable = entries.find((entry) => entry.service.id === service.id)?.movable;
  const without = service.onSwap ?? dataFallback;
  if (movable === undefined) return without;
  const { transfer } = movable;
  if (isMoving(movable)) return "Its data is being moved.";
  if (transfer?.state !== "copied") return `If you do not move its data: ${without}`;
  return `Its data has been copied and compared: ${totalText(transfer.kind, transfer.progress)}.`;
}

function Side({
  term,
  icon,
  after = false,
  children,
}: {
  readonly term: string;
  readonly icon: IconName;
  readonly after?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <div
      className={
        after
          ? "border-t border-line bg-accent-soft px-4 py-3 sm:border-t-0 sm:border-l sm:px-5"
          : "px-4 py-3 sm:px-5"
      }
    >
      <dt className="flex items-center gap-2 text-sm font-medium text-ink-2">
        <Icon name={icon} />
        {term}
      </dt>
      <dd className="mt-1 min-w-0 space-y-1 break-words">{children}</dd>
    </div>
  );
}

function Today({ service: { binding } }: { readonly service: Service }) {
  if (binding.source === "user") return <p>The keys that it uses now</p>;
  return (
    <>
      <p className="font-medium">Lent to you</p>
      <p className="text-sm text-ink-2">{sentence(capital(binding.gradeMeaning))}</p>
    </>
  );
}

function After({ service }: { readonly service: Service }) {
  const { saved } = service.binding;
  const account = saved?.check.status === "valid" ? accountText(saved.check) : "";
  const secrets = (saved?.fields ?? []).filter(({ preview }) => preview.startsWith("•"));
  return (
    <>
      <p className="font-medium">
        {service.needed.length === 0 ? "New ones, made for you" : "Your own keys"}
      </p>
      {account !== "" && <p className="text-sm text-ink-2">{account}</p>}
      {secrets.map(({ name, preview }) => (
        <p key={name} className="text-sm text-ink-2">
          {fieldOf(service, name)?.label ?? name} <span className="font-mono">{preview}</span>
        </p>
      ))}
    </>
  );
}

function Staying({ services }: { readonly services: readonly Service[] }) {
  return (
    <div className="rounded-card border border-line px-4 py-3 sm:px-5">
      <h2 className="font-semibold">What does not change</h2>
      <ul className="mt-1 text-ink-2">
        {services.map(({ id, label, inUse, inherited }) => (
          <li key={id}>
            {label}: {inUse ? "your own keys" : inherited ? "earlier keys" : "lent to you"}
          </li>
        ))}
      </ul>
    </div>
  );
}

function GoingBack() {
  const { settings } = useSettings();
  const window = settings.revertWindowSeconds;
  return (
    <div className="flex gap-3 rounded-card border border-line px-4 py-3 sm:px-5">
      <Icon name="undo" className="mt-1 text-ink-3" />
      <div>
        <h2 className="font-semibold">How to go back</h2>
        <p className="text-ink-2">
          {!settings.canGoBack
            ? "Some of the lent keys are gone, so you cannot go back after the switch."
            : window > 0
              ? `For ${spanText(window)} after the switch, you can go back with one button to the lent keys and the data your app had with them.`
              : "The lent keys end with the switch, so you cannot go back to them."}
        </p>
      </div>
    </div>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
