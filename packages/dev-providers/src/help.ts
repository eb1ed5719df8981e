export const help = `Runs Keyloan on this machine: the broker and a stand-in for every provider, on 127.0.0.1 only.

Usage
  pnpm start            start everything and keep running until Ctrl-C
  pnpm demo             try everything once, unattended, in a folder of its own

Environment
  PORT                  the broker's port; default 8787, 0 picks a free one
  KEYLOAN_HOME          where state is kept; default .keyloan in the root folder
  KEYLOAN_LOG_LEVEL     of the broker: debug, info, warn, error or silent
  CHROMIUM_PATH         the demo's browser; empty makes the page's calls over HTTP
  NO_COLOR              set it for plain text

Examples
  pnpm start
  PORT=9000 pnpm start
  KEYLOAN_HOME=/tmp/second PORT=0 pnpm start
  rm -rf .keyloan       forgets all builds and keys (stop first)

Without pnpm, write: npx -y pnpm@12.21.0 start
Exit codes: 0 ended as asked, 1 failed, 2 wrong usage, 130 stopped at the second Ctrl-C.
`;
