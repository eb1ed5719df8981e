export { checkShape } from "./check-shape.ts";
export { validateKeys, validationTimeoutMsDefault } from "./validate-keys.ts";
