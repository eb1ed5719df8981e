import { describe, expect, test } from "vitest";
import { type CredentialGrant, signCredentials } from "./credentials.ts";

const grant: CredentialGrant = {
  accountId: "0000aaaa1111bbbb2222cccc3333dddd",
  endpointHost: "0000aaaa1111bbbb2222cccc3333dddd.r2.cloudflarestorage.com",
  bucket: "builds",
  prefixes: ["b/build-1/"],
  parentAccessKeyId: "parentkeyid00000000000000000000a",
  parentSecretAccessKey: "0123456789abcdef".repeat(4),
  issuedAtSeconds: 1_700_000_000,
  expiresAtSeconds: 1_700_003_600,
};

describe("local signing", () => {
  test("gives the test vector byte for byte", async () => {
    expect(await signCredentials(grant)).toEqual({
      accessKeyId: "parentkeyid00000000000000000000a",
      secretAccessKey: "5419de3c10a304f4eff6b1b50f5eef69f423fdf436d5570ba9819575e6a12a47",
      sessionToken:
        "and0L2V5SmhiR2NpT2lKSVV6STFOaUlzSW5SNWNDSTZJa3BYVkNKOS5leUppZFdOclpYUWlPaUppZFdsc1pITWlMQ0p6WTI5d1pTSTZJbTlpYW1WamRDMXlaV0ZrTFhkeWFYUmxJaXdpY0dGMGFITWlPbnNpY0hKbFptbDRVR0YwYUhNaU9sc2lZaTlpZFdsc1pDMHhMeUpkTENKdlltcGxZM1JRWVhSb2N5STZXMTE5TENKemRXSWlPaUl3TURBd1lXRmhZVEV4TVRGaVltSmlNakl5TW1OalkyTXpNek16WkdSa1pDSXNJbWx6Y3lJNkluQmhjbVZ1ZEd0bGVXbGtNREF3TURBd01EQXdNREF3TURBd01EQXdNREJoSWl3aVlYVmtJam9pTURBd01HRmhZV0V4TVRFeFltSmlZakl5TWpKalkyTmpNek16TTJSa1pHUXVjakl1WTJ4dmRXUm1iR0Z5WlhOMGIzSmhaMlV1WTI5dElpd2lhV0YwSWpveE56QXdNREF3TURBd0xDSmxlSEFpT2pFM01EQXdNRE0yTURCOS5kOFBSdDNVX09DcGtyVkNsRWp2WGlaS0l4WFpSWVpud005ZEJFUWNaQzAw",
    });
  });

  test.each([
    ["without a slash at its end", { prefixes: ["b/build-1"] }],
    ["that is empty", { prefixes: [""] }],
    ["that is the root", { prefixes: ["/"] }],
    ["with a wildcard", { prefixes: ["b/*/"] }],
    ["that is missing", { prefixes: [] }],
  ])("refuses a prefix %s", async (_, change) => {
    await expect(signCredentials({ ...grant, ...change })).rejects.toThrow("prefixes");
  });

  test.each([
    ["over seven days", grant.issuedAtSeconds + 604_801],
    ["none", grant.issuedAtSeconds],
    ["a fraction of seconds", grant.issuedAtSeconds + 1.5],
  ])("refuses a life of %s", async (_, expiresAtSeconds) => {
    await expect(signCredentials({ ...grant, expiresAtSeconds })).rejects.toThrow("lives");
  });
});
