import type { BindingView, CatalogEntry } from "@keyloan/contract";
import { type Service, servicesOf } from "../keys/services.ts";

export const binding = (changes: Partial<BindingView> = {}): BindingView => ({
  connector: "acme",
  source: "org",
  grade: "B",
  gradeMeaning: "a resource of its own",
  ...changes,
});

export const saved = (
  status: "valid" | "undetermined",
  savedAt = "2026-11-20T12:00:00.000Z",
): NonNullable<BindingView["saved"]> => ({
  fields: [
    { name: "ACME_URL", preview: "https://acme.example" },
    { name: "ACME_SECRET", preview: "••••1234" },
  ],
  fingerprint: "fp",
  savedAt,
  checkedAt: savedAt,
  check:
    status === "valid"
      ? { status, capabilities: [], warnings: [] }
      : { status, code: "timeout", message: "it did not answer" },
});

const entry: CatalogEntry = {
  id: "acme",
  label: "Acme",
  category: "database",
  summary: "Keeps things.",
  grade: "B",
  gradeMeaning: "a resource of its own",
  revocation: "It ends.",
  orgFields: [],
  env: [
    { name: "ACME_URL", label: "Address", secret: false, exposure: "server", pattern: "^https://\\S+$" },
    { name: "ACME_SECRET", label: "Secret key", secret: true, exposure: "server", pattern: "^sk_\\w{4,}$" },
    {
      name: "ACME_KEY",
      label: "Publishable key",
      secret: false,
      exposure: "browser",
      optional: true,
      pattern: "^pk_\\w+$",
      aliases: ["ACME_PUBLIC"],
    },
    {
      name: "ACME_REGION",
      label: "Region",
      secret: false,
      exposure: "server",
      own: { kind: "default", value: "eu" },
    },
    { name: "ACME_PRICE_", label: "Price", secret: false, exposure: "server", family: true, optional: true },
    {
      name: "ACME_SIGNING",
      label: "Signing",
      secret: true,
      exposure: "server",
      own: { kind: "generated", bytes: 32 },
    },
    { name: "ACME_SESSION", label: "Session", secret: true, exposure: "server", own: { kind: "absent" } },
  ],
};

/** A made-up service with a variable of every kind. */
export function acme(changes: Partial<BindingView> = {}): Service {
  const build = { id: "bld_1", name: "App", state: "ready", profile: "plain" } as const;
  const settings = {
    build,
    version: 0,
    session: { expiresAt: "", sealingKey: "" },
    bindings: [binding(changes)],
    revertWindowSeconds: 0,
    canGoBack: true,
    person: { standing: "none" as const },
  };
  const [service] = servicesOf({ connectors: [entry] }, settings);
  if (service === undefined) throw new Error("there is no service");
  return service;
}
