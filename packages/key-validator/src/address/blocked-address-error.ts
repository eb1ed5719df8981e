import { ProviderError } from "@keyloan/contract";
import type { AddressRefusal, AddressRule } from "./read-address.ts";

/**
 * The address guard refused an address before anything was sent. Its code is `network`, so that code which does not
 * know the guard treats it as "the provider cannot be reached", never as a wrong key.
 */
export class BlockedAddressError extends ProviderError {
  readonly rule: AddressRule;

  constructor(refusal: AddressRefusal) {
    super("address", "network", refusal.message, { remedy: refusal.remedy });
    this.rule = refusal.rule;
  }
}
