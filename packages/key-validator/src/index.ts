export { BlockedAddressError } from "./address/blocked-address-error.ts";
export {
  type GuardedAddress,
  type GuardOptions,
  guardAddress,
  type Resolve,
} from "./address/guard-address.ts";
export { createGuardedFetch, type GuardedFetchOptions, guardedFetchLimits } from "./address/guarded-fetch.ts";
export {
  type AddressRefusal,
  type AddressRule,
  type AddressRules,
  type ReadAddress,
  readAddress,
} from "./address/read-address.ts";
export type { ProviderCheck } from "./ask-provider.ts";
export { checkShape } from "./check-shape.ts";
export { type CheckedUserKeys, checkUserKeys, typedVariables } from "./check-user-keys.ts";
export {
  checkUserShape,
  explainMissing,
  findMisshapen,
  findMissing,
  hasValue,
} from "./input/check-user-shape.ts";
export { modeOfSecret } from "./input/field-shape.ts";
export { type RepairedInput, repairInput } from "./input/repair-input.ts";
export { findOurs, type IsOurs, refuseOurs } from "./not-ours.ts";
export { validateKeys, validationTimeoutMsDefault } from "./validate-keys.ts";
