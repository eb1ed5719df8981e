// What is known of fields without a schema library: for who ships it to others.
export type { FieldSpec } from "./field.ts";
export { fitsField } from "./field-form.ts";
export { trimEndOf } from "./trim-end.ts";
