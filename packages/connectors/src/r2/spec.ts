import type { ConnectorSpec } from "@keyloan/contract";
import { originForm } from "../kit/address-patterns.ts";

/** Where S3 keys of an account are made. */
export const tokensPage = "https://dash.cloudflare.com/?to=/:account/r2/api-tokens";
/** Where an account's own API tokens are made. */
export const accountTokensPage = "https://dash.cloudflare.com/?to=/:account/api-tokens";
const overviewPage = "https://dash.cloudflare.com/?to=/:account/r2/overview";

/** As R2 allows them ("Buckets, bucket-level operations"): a dot or an upper-case letter is never part. */
const bucketPattern = "^[a-z0-9][a-z0-9\\-]{1,61}[a-z0-9]$";
const keyIdPattern = "^[A-Za-z0-9]{16,128}$";
/** Lower-case hex of a SHA-256 ("R2 API tokens": the secret access key is the hash of the token value). */
const secretPattern = "^[0-9a-f]{64}$";
/** Old tokens are 40 characters, new ones longer with a prefix ("Token formats"); `cfk_` is the global key. */
const apiTokenPattern = "^(?!cfk_)[A-Za-z0-9_\\-]{40,160}$";

export const r2Spec: ConnectorSpec = {
  id: "r2",
  label: "Cloudflare R2",
  category: "storage",
  summary: "Keeps the files that people upload to your app.",
  grade: "C",
  revocation:
    "The build's objects and unfinished uploads are deleted at once. When the org key has an API token, the build's credentials are ended too, within a minute; without one they work until they expire, because R2 can end them only together with the org's key.",
  guide: {
    url: overviewPage,
    steps: [
      "Sign in to Cloudflare and open R2. The first time, Cloudflare asks you to add R2 to your account.",
      "Select Create bucket and name it after your app; put the name into the field Bucket.",
      "Go back to the overview, select Manage next to API Tokens, and then Create Account API token.",
      "Choose the permission Object Read & Write, apply it to specific buckets only, choose your bucket, and create the token.",
      "Copy the Access Key ID and the Secret Access Key into their fields at once: Cloudflare shows the secret only now.",
      "At the bottom of the same page copy the S3 endpoint, which ends in r2.cloudflarestorage.com.",
    ],
  },
  onSwap:
    "Your app starts with the content of your bucket; files that testers uploaded stay in the lent storage and are deleted with it, unless you move them first.",
  orgFields: [
    {
      name: "accountId",
      label: "Account id",
      help: "The 32 characters in the address of your Cloudflare dashboard and of your S3 endpoint.",
      helpUrl: overviewPage,
      secret: false,
      pattern: "^[0-9a-f]{32}$",
      example: "0000aaaa1111bbbb2222cccc3333dddd",
    },
    {
      name: "bucket",
      label: "Bucket",
      help: "A bucket used only for builds: each gets its own prefix in it.",
      helpUrl: overviewPage,
      secret: false,
      pattern: bucketPattern,
      example: "app-builds",
    },
    {
      name: "accessKeyId",
      label: "Access key id",
      help: "Make an account API token with Object Read & Write on this bucket alone; the page then shows the id.",
      helpUrl: tokensPage,
      secret: false,
      identifies: true,
      pattern: keyIdPattern,
    },
    {
      name: "secretAccessKey",
      label: "Secret access key",
      help: "Shown once, next to the access key id: 64 characters, 0-9 and a-f.",
      helpUrl: tokensPage,
      secret: true,
      pattern: secretPattern,
    },
    {
      name: "apiToken",
      label: "API token",
      help: "Gives each build its own key, which ends when the build closes; without it, credentials work until they expire. Make an account API token with only the permission Account API Tokens: Edit. Each live build takes one of the 500 tokens that an account may have.",
      helpUrl: accountTokensPage,
      secret: true,
      pattern: apiTokenPattern,
      optional: true,
    },
    {
      name: "jurisdiction",
      label: "Jurisdiction",
      help: "default, eu or fedramp: the jurisdiction in which the bucket was made.",
      helpUrl: overviewPage,
      secret: false,
      pattern: "^(default|eu|fedramp)$",
      example: "eu",
      optional: true,
    },
  ],
  env: [
    {
      name: "R2_ENDPOINT",
      label: "S3 endpoint",
      help: "Copy the S3 endpoint: https://, your account id and .r2.cloudflarestorage.com, without a bucket at its end.",
      helpUrl: overviewPage,
      secret: false,
      exposure: "server",
      ...originForm,
      example: "https://0000aaaa1111bbbb2222cccc3333dddd.r2.cloudflarestorage.com",
      copies: { aws: ["AWS_ENDPOINT_URL_S3"] },
      ifUnset: "The app cannot reach its file store.",
      own: { kind: "typed" },
      role: "address",
    },
    {
      name: "R2_BUCKET",
      label: "Bucket",
      help: "Copy the bucket's name: lower-case letters, digits and dashes.",
      helpUrl: overviewPage,
      secret: false,
      exposure: "server",
      pattern: bucketPattern,
      example: "my-app",
      ifUnset: "The app does not know where its files are.",
      own: { kind: "typed" },
    },
    {
      name: "R2_PREFIX",
      label: "Folder in the bucket",
      help: "The start of all file names of the app; letters, digits, _ . @ + , = and dashes, with a slash at the end. Leave it empty to use the whole bucket.",
      secret: false,
      exposure: "server",
      pattern: "^[A-Za-z0-9_.@+,=\\-][A-Za-z0-9_.@+,=\\/\\-]{0,500}\\/$",
      example: "uploads/",
      optional: true,
      aliases: ["R2_USER_PREFIX"],
      ifUnset: "The app stores at the top of the bucket, which lent credentials refuse.",
      own: { kind: "typed" },
    },
    {
      name: "R2_ACCESS_KEY_ID",
      label: "Access key id",
      help: "Copy the Access Key ID that is shown next to the secret: 32 characters.",
      helpUrl: tokensPage,
      secret: false,
      exposure: "server",
      pattern: keyIdPattern,
      copies: { aws: ["AWS_ACCESS_KEY_ID"] },
      ifUnset: "The app cannot sign requests to its file store.",
      own: { kind: "typed" },
    },
    {
      name: "R2_SECRET_ACCESS_KEY",
      label: "Secret access key",
      help: "Copy the Secret Access Key, 64 characters from 0-9 and a-f. It is shown once: if it is gone, make a new token.",
      helpUrl: tokensPage,
      secret: true,
      exposure: "server",
      pattern: secretPattern,
      copies: { aws: ["AWS_SECRET_ACCESS_KEY"] },
      ifUnset: "The app cannot sign requests to its file store.",
      own: { kind: "typed" },
    },
    {
      name: "R2_SESSION_TOKEN",
      label: "Session token",
      help: "Only temporary credentials have one; the app passes it to its S3 client as sessionToken.",
      secret: true,
      exposure: "server",
      pattern: "^[A-Za-z0-9+\\/=_\\-]{16,}$",
      optional: true,
      copies: { aws: ["AWS_SESSION_TOKEN"] },
      ifUnset: "Lent credentials are refused without it; your own keys have none.",
      own: { kind: "absent" },
    },
    {
      name: "R2_REGION",
      label: "Region",
      help: "R2 has one region: auto.",
      secret: false,
      exposure: "server",
      pattern: "^[a-z0-9\\-]+$",
      example: "auto",
      optional: true,
      copies: { aws: ["AWS_REGION", "AWS_DEFAULT_REGION"] },
      ifUnset: "S3 clients that need a region do not start.",
      own: { kind: "default", value: "auto" },
    },
  ],
};
