import type { createClient, TursoConfig } from "@tursodatabase/api";

export type TursoSdk = ReturnType<typeof createClient>;

/** Carries one call of the SDK: a path under the API's version, and the options the SDK chose. */
export type SdkTransport = (path: string, options: RequestInit) => Promise<unknown>;

type ConfigWithTransport = TursoConfig & { readonly transport?: SdkTransport };
type SdkRequest = (path: string, config: ConfigWithTransport, options?: RequestInit) => Promise<unknown>;
type SdkClass = { request: SdkRequest };

/**
 * The official SDK, with every call carried by `transport`.
 *
 * By itself the SDK calls the global `fetch` with neither deadline nor size limit, follows redirects,
 * loses status and `Retry-After` of an error, puts the provider's words into its message, and fails on
 * answers without a body. All of its calls pass one static function, which is replaced here once; a
 * client made without a transport goes the SDK's own way.
 */
export async function createTursoSdk(
  credential: { readonly organization: string; readonly token: string },
  transport: SdkTransport,
): Promise<TursoSdk> {
  const { createClient } = await import("@tursodatabase/api");
  const config: ConfigWithTransport = { org: credential.organization, token: credential.token, transport };
  const client = createClient(config);
  carryRequests(classOf(client));
  return client;
}

const carried = new WeakSet<SdkClass>();

function carryRequests(sdk: SdkClass): void {
  if (carried.has(sdk)) return;
  carried.add(sdk);
  const original = sdk.request.bind(sdk);
  sdk.request = (path, config, options = {}) =>
    config.transport === undefined ? original(path, config, options) : config.transport(path, options);
}

/** The SDK declares the static function but does not export its class; its presence is checked before the cast. */
function classOf(client: TursoSdk): SdkClass {
  const found: unknown = client.constructor;
  if (typeof found === "function" && "request" in found && typeof found.request === "function") {
    return found as unknown as SdkClass;
  }
  throw new Error("@tursodatabase/api has changed: its clients no longer share one request function");
}
