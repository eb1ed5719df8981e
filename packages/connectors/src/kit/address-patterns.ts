// Patterns of addresses, for the specs. No white space, quote or sign by which a shell or an env file runs something.
const host = "https?:\\/\\/[A-Za-z0-9.\\-]{1,253}(?::\\d{1,5})?";
const rest = "[A-Za-z0-9_.\\/:@%+,=?&#~\\-]{0,500}";

/** A scheme, a host and perhaps a port. */
export const originPattern = `^${host}\\/?$`;

/** A whole web address. */
export const webAddressPattern = `^${host}(?:[\\/?#]${rest})?$`;

/** A path of the app itself, or a whole web address. */
export const pagePattern = `^(?:\\/${rest}|${host}(?:[\\/?#]${rest})?)$`;
