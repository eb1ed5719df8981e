/** The version of Keyloan: of its packages, its API and its command line. A test keeps it equal to package.json. */
export const version = "0.1.0";

/** How Keyloan names itself in every call that it makes: some providers refuse callers without a name. */
export const userAgent = `keyloan/${version}`;
