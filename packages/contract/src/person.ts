/** How a session of the settings page was opened, and with it how far it is believed. */
export const sessionOpeners = ["link", "identity", "browser", "recovery"] as const;
export type SessionOpener = (typeof sessionOpeners)[number];

/** What a person may let the platform's tokens do with their values; replacing what is in their account is no such kind. */
export const tokenPermissions = ["transfer", "revert"] as const;
export type TokenPermission = (typeof tokenPermissions)[number];

/** How asking to start over ends. */
export const startOverStates = ["waiting", "done", "refused", "withdrawn"] as const;
export type StartOverState = (typeof startOverStates)[number];
