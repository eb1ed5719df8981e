import { ProviderError } from "@keyloan/contract";

/** The context's own fetch refused to make a call because of its address. */
export class BlockedAddress extends ProviderError {
  constructor(provider: string, { message, remedy }: { readonly message: string; readonly remedy: string }) {
    super(provider, "network", message, { remedy });
  }
}

/** Turns a thrown fetch or SDK transport error into `timeout` or `network`; a ProviderError passes through. */
export function transportError(provider: string, error: unknown): ProviderError {
  const refusal = addressRefusal(error);
  if (refusal !== undefined) return new BlockedAddress(provider, refusal);
  if (error instanceof ProviderError) return error;
  const names = errorNames(error);
  if (names.some((name) => name === "TimeoutError" || name === "AbortError" || name.includes("TIMEOUT"))) {
    return new ProviderError(provider, "timeout", "did not answer in time");
  }
  return new ProviderError(provider, "network", "could not be reached");
}

/**
 * The message about an address that a guarded fetch refused, with an error named BlockedAddressError or a
 * ProviderError of the provider `address`. Its words never come from a provider, so they may be shown.
 */
function addressRefusal(error: unknown): { readonly message: string; readonly remedy: string } | undefined {
  if (error instanceof BlockedAddress) return error;
  const found = errorChain(error).find(
    (each) =>
      each.name === "BlockedAddressError" || (each instanceof ProviderError && each.provider === "address"),
  );
  if (found === undefined) return undefined;
  if (found instanceof ProviderError) return found;
  return {
    message: "The address is not one that Keyloan may call.",
    remedy: "Enter the address as the provider shows it.",
  };
}

function errorNames(error: unknown): string[] {
  return errorChain(error).flatMap((each) =>
    "code" in each && typeof each.code === "string" ? [each.name, each.code] : [each.name],
  );
}

/** The error and its causes, outermost first; five at most. */
function errorChain(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let current = error; current instanceof Error && chain.length < 5; current = current.cause) {
    chain.push(current);
  }
  return chain;
}
