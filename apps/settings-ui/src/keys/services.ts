import type { BindingView, Catalog, CatalogEntry, PersonView, SettingsView } from "@keyloan/contract";

export type Variable = CatalogEntry["env"][number];

/** One service of the app as the page knows it: what the catalog says, and whose keys are in use. */
export type Service = {
  readonly id: string;
  readonly label: string;
  readonly summary: string;
  readonly guide: { readonly url: string; readonly steps: readonly string[] } | undefined;
  readonly onSwap: string | undefined;
  readonly revocation: string;
  readonly binding: BindingView;
  /** What the person types: needed, and not. */
  readonly needed: readonly Variable[];
  readonly extra: readonly Variable[];
  /** Names that begin alike, any number of them. */
  readonly families: readonly Variable[];
  /** What is made anew without anyone typing it. */
  readonly generated: readonly Variable[];
  /** Names that nobody types: made anew, or only there while keys are lent. */
  readonly unasked: readonly Variable[];
  /** Keys of the person's own wait for the switch. */
  readonly waiting: boolean;
  /** The app uses keys of the present person. */
  readonly inUse: boolean;
  /** The app uses keys of who was the person before somebody started over: nobody can read them. */
  readonly inherited: boolean;
};

/** The services of a build in the catalog's order. */
export function servicesOf(catalog: Catalog, settings: SettingsView): Service[] {
  return catalog.connectors.flatMap((entry) => {
    const binding = settings.bindings.find(({ connector }) => connector === entry.id);
    return binding === undefined ? [] : [serviceOf(entry, binding, settings.person)];
  });
}

function serviceOf(entry: CatalogEntry, binding: BindingView, person: Since): Service {
  const variables: readonly Variable[] = entry.env;
  const kindOf = (variable: Variable) => variable.own?.kind ?? "typed";
  const typed = variables.filter((variable) => ["typed", "default"].includes(kindOf(variable)));
  const single = typed.filter(({ family }) => family !== true);
  const isNeeded = (variable: Variable) => variable.optional !== true && kindOf(variable) === "typed";
  return {
    id: entry.id,
    label: entry.label,
    summary: entry.summary,
    guide: entry.guide,
    onSwap: entry.onSwap,
    revocation: entry.revocation,
    binding,
    needed: single.filter(isNeeded),
    extra: single.filter((variable) => !isNeeded(variable)),
    families: typed.filter(({ family }) => family === true),
    generated: variables.filter((variable) => kindOf(variable) === "generated"),
    unasked: variables.filter((variable) => !typed.includes(variable)),
    waiting: isWaiting(binding),
    inUse: isInUse(binding, person),
    inherited: binding.source === "user" && !isInUse(binding, person),
  };
}

/** Whether saved keys are not the ones in use. After a swap, what was saved later waits for the next one. */
export function isWaiting({ saved, source, swappedAt }: BindingView): boolean {
  if (saved === undefined) return false;
  return source === "org" || (swappedAt !== undefined && saved.savedAt > swappedAt);
}

type Since = Pick<PersonView, "since">;

/** Whether the app uses keys of the present person: not lent ones, and none of who was it before. */
export function isInUse({ saved, source, swappedAt }: BindingView, { since }: Since): boolean {
  if (source === "org" || saved === undefined) return false;
  return since === undefined || swappedAt === undefined || swappedAt >= since;
}

/** Every single field of a service. */
export function typedFields({ needed, extra }: Service): readonly Variable[] {
  return [...needed, ...extra];
}

/** Whether a person has, or may have, anything to type for a service. */
export function isTyped(service: Service): boolean {
  return typedFields(service).length > 0 || service.families.length > 0;
}

/** The field of a service that has exactly this name, or the family that the name belongs to. */
export function fieldOf(service: Service, name: string): Variable | undefined {
  return (
    typedFields(service).find((variable) => variable.name === name) ??
    service.families.find((family) => name.startsWith(family.name) && name.length > family.name.length)
  );
}

/** What of saved keys is no secret, so that only the secrets have to be typed again. */
export function knownValues(service: Service): Record<string, string> {
  const open = new Set(
    typedFields(service)
      .filter(({ secret }) => !secret)
      .map(({ name }) => name),
  );
  const fields = service.binding.saved?.fields ?? [];
  return Object.fromEntries(
    fields.filter(({ name }) => open.has(name)).map(({ name, preview }) => [name, preview]),
  );
}
