import type { AddressRule } from "../../packages/key-validator/src/index.ts";

/** An address that each rule of the guard refuses: what is said of it is taken from the guard itself. */
export const addressExamples: Readonly<Record<AddressRule, string>> = {
  unreadable: "example.com",
  scheme: "file:///etc/passwd",
  credentials: "https://user:word@example.com",
  unencrypted: "http://example.com",
  port: "https://example.com:22",
  name: "https://db.internal",
  loopback: "https://127.0.0.1",
  private: "https://10.0.0.1",
  link_local: "https://169.254.1.1",
  shared: "https://100.64.0.1",
  metadata: "https://169.254.169.254",
  multicast: "https://224.0.0.1",
  embedded: "https://[::ffff:10.0.0.1]",
  reserved: "https://0.0.0.0",
};
