import { formOf } from "@keyloan/contract";

// Patterns of addresses, for the specs: no white space, no quotes, nothing that makes a shell or an env file run code.
const host = "[A-Za-z0-9.\\-]{1,253}(?::\\d{1,5})?";
const rest = "[A-Za-z0-9_.\\/:@%+,=?&#~\\-]{0,500}";
const web = ["https://", "http://"] as const;

/** A scheme, a host and an optional port. */
export const originForm = formOf(web, `${host}\\/?`);

/** A whole web address. */
export const webAddressForm = formOf(web, `${host}(?:[\\/?#]${rest})?`);

/** A path within the app, or a whole web address. */
export const pagePattern = `^(?:\\/${rest}|https?:\\/\\/${host}(?:[\\/?#]${rest})?)$`;
