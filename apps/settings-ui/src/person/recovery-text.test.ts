import { randomBytes } from "node:crypto";
import { newTokenBody, writeToken } from "@keyloan/contract";
import { describe, expect, it } from "vitest";
import { recoveryCodeIn, recoveryFile } from "./recovery-text.ts";

const code = writeToken(
  "recovery",
  newTokenBody("recovery", randomBytes, "bld_3k9abcdefghjkmnpqrst"),
  "abcdEF-_",
);

describe("a recovery code is found", () => {
  it.each([
    ["alone", code],
    ["in capitals, with spaces for dashes", `  ${code.toUpperCase().replaceAll("-", " ")} `],
    [
      "in the file that it is downloaded as",
      recoveryFile(code, "a-b-c-d-e-f-g shop", "https://keys.example"),
    ],
    [
      "in that file with other line ends",
      recoveryFile(code, "Shop", "https://k.example").replaceAll("\n", "\r\n"),
    ],
    ["in a sentence", `My code: ${code} and nothing else`],
  ])("%s", (_how, text) => {
    expect(recoveryCodeIn(text)).toBe(code);
  });

  it.each(["", "my code", code.slice(0, -3), "klo_rec_"])("and nothing is made of %j", (text) => {
    expect(recoveryCodeIn(text)).toBeUndefined();
  });
});
