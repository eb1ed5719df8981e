import { formOf } from "@keyloan/contract";

// Forms of addresses, for the specs. No white space, quote or sign by which a shell or an env file runs something.
const host = "[A-Za-z0-9.\\-]{1,253}(?::\\d{1,5})?";
const rest = "[A-Za-z0-9_.\\/:@%+,=?&#~\\-]{0,500}";
const web = ["https://", "http://"] as const;

/** A scheme, a host and perhaps a port. */
export const originForm = formOf(web, `${host}\\/?`);

/** A whole web address. */
export const webAddressForm = formOf(web, `${host}(?:[\\/?#]${rest})?`);

/** A path of the app itself, or a whole web address. */
export const pagePattern = `^(?:\\/${rest}|https?:\\/\\/${host}(?:[\\/?#]${rest})?)$`;
