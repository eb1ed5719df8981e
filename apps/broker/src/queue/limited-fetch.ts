import { type CallBudget, type Connector, parseRetryAfter } from "@keyloan/contract";
import type { Deps } from "../deps.ts";

type Fetch = typeof globalThis.fetch;

/** What this process may still ask of a provider without asking the store. */
type Purse = { windowStart: number; left: number; filling: Promise<boolean> | undefined };

/**
 * A window is that part of a provider's span. Of `slices + 1` windows, which is the most that any span
 * touches, each gets an equal share of the calls: so no span ever sees more than are allowed.
 */
const slices = 5;
/** How often in a window a broker goes to the store for more, when it makes all the calls. */
const chunksPerWindow = 10;
const storeFailedMs = 1_000;

/**
 * The fetch of a connector for calls with the org's key. It leaves a provider alone that has asked for that, of
 * whichever broker on the store, and keeps all of them together within the budget the provider documents. A
 * call that is held back is answered as the provider would: 429, with the seconds to wait.
 */
export function createLimitedFetch(
  deps: Pick<Deps, "store" | "now" | "fetch">,
): (connector: Connector) => Fetch {
  const purses = new Map<string, Purse>();
  return ({ spec, callBudget }) => {
    const purse = purses.get(spec.id) ?? { windowStart: 0, left: 0, filling: undefined };
    purses.set(spec.id, purse);
    return async (input, init) => {
      if (!isLimited(callBudget, input)) return deps.fetch(input, init);
      const pauseMs = await pauseMsOf(deps, spec.id);
      if (pauseMs > 0) return heldBack(pauseMs);
      const waitMs = callBudget === undefined ? 0 : await takeCall(deps, spec.id, callBudget, purse);
      if (waitMs > 0) return heldBack(waitMs);
      const response = await deps.fetch(input, init);
      if (response.status === 429) await keepPause(deps, spec.id, response.headers.get("retry-after"));
      return response;
    };
  };
}

function isLimited(budget: CallBudget | undefined, input: Parameters<Fetch>[0]): boolean {
  if (budget?.pathPrefix === undefined) return true;
  const url = new URL(input instanceof Request ? input.url : input);
  return url.pathname.startsWith(budget.pathPrefix);
}

function heldBack(waitMs: number): Response {
  return new Response(null, { status: 429, headers: { "retry-after": String(Math.ceil(waitMs / 1000)) } });
}

// A store that cannot be read or written keeps nobody from asking: what is asked cannot be recorded then anyway.
async function pauseMsOf({ store, now }: Pick<Deps, "store" | "now">, connectorId: string): Promise<number> {
  return store.read.providerLimits.pauseMsOf(connectorId, now()).catch(() => 0);
}

/** Lets every broker know how long the provider wants to be left alone; without a number, jobs wait by themselves. */
async function keepPause(
  { store, now }: Pick<Deps, "store" | "now">,
  connectorId: string,
  retryAfter: string | null,
): Promise<void> {
  const seconds = parseRetryAfter(retryAfter, now());
  if (seconds === undefined || seconds === 0) return;
  const until = now() + seconds * 1000;
  await store
    .write([connectorId], (tables) => tables.providerLimits.pause(connectorId, until, now()))
    .catch(() => undefined);
}

/** Takes one call, from the purse or from what all brokers have left. @returns how long to wait, or 0 */
async function takeCall(
  deps: Pick<Deps, "store" | "now">,
  connectorId: string,
  budget: CallBudget,
  purse: Purse,
): Promise<number> {
  const lengthMs = (budget.windowSeconds * 1000) / slices;
  for (;;) {
    const now = deps.now();
    const start = Math.floor(now / lengthMs) * lengthMs;
    if (purse.windowStart === start && purse.left > 0) {
      purse.left -= 1;
      return 0;
    }
    // Calls that find the purse empty at the same time share what one of them fetches.
    purse.filling ??= fill(deps, connectorId, { start, lengthMs, calls: windowCalls(budget) }, purse).finally(
      () => {
        purse.filling = undefined;
      },
    );
    try {
      if (!(await purse.filling)) return Math.max(start + lengthMs - now, 1);
    } catch {
      return storeFailedMs;
    }
  }
}

const windowCalls = ({ calls }: CallBudget) => Math.floor(calls / (slices + 1));

/** Takes a chunk of the window; when none is left, jobs of the connector wait until it is over. */
async function fill(
  { store, now }: Pick<Deps, "store" | "now">,
  connectorId: string,
  window: { readonly start: number; readonly lengthMs: number; readonly calls: number },
  purse: Purse,
): Promise<boolean> {
  const chunk = Math.max(1, Math.floor(window.calls / chunksPerWindow));
  const taken = await store.write([connectorId], async ({ providerLimits }) => {
    if (await providerLimits.take(connectorId, window, chunk)) return true;
    await providerLimits.pause(connectorId, window.start + window.lengthMs, now());
    return false;
  });
  if (taken) {
    purse.windowStart = window.start;
    purse.left = chunk;
  }
  return taken;
}
