import type { KnownBuild } from "../state/closed.ts";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { StartedOver } from "./started-over.tsx";

/** The apps that this browser can open, and those that somebody else took over. */
export function KnownBuilds({
  builds,
  onOpen,
}: {
  readonly builds: readonly KnownBuild[];
  readonly onOpen: (id: string) => void;
}) {
  const open = builds.filter(({ replaced }) => replaced === undefined);
  return (
    <>
      {open.length > 0 && (
        <ul className="divide-y divide-line rounded-card border border-line bg-surface">
          {open.map(({ id, name }) => (
            <li key={id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3 sm:px-5">
              <p className="min-w-0 flex-1 basis-48 font-medium break-words">
                {name}
                {open.filter((other) => other.name === name).length > 1 && (
                  <span className="block font-mono text-sm font-normal break-all text-ink-3">{id}</span>
                )}
              </p>
              <Button onClick={() => onOpen(id)}>
                Open <span className="sr-only">{name}</span>
                <Icon name="arrow" />
              </Button>
            </li>
          ))}
        </ul>
      )}
      {builds.map(
        ({ id, name, replaced }) =>
          replaced !== undefined && <StartedOver key={id} app={name} {...replaced} />,
      )}
    </>
  );
}
