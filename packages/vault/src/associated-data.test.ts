import fc from "fast-check";
import { expect, test } from "vitest";
import { associatedData } from "./associated-data.ts";
import { vaultCode } from "./testing/samples.ts";

const text = (...parts: string[]) => Buffer.from(associatedData(...parts)).toString();

test.each([
  ["ASCII", ["ab", "c"], "2:ab,1:c,"],
  ["text beyond ASCII, measured in bytes", ["é", "🔑", "c"], "2:é,4:🔑,1:c,"],
  ["parts that look like the format", ["1:a,", ","], "4:1:a,,1:,,"],
])("%s is written with lengths", (_what, parts, written) => {
  expect(text(...parts)).toBe(written);
});

test("different lists of parts never give the same bytes", () => {
  const part = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."1:,aé"), minLength: 1, maxLength: 6 }),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }),
  );
  const list = fc.array(part, { maxLength: 5 });
  fc.assert(
    fc.property(list, list, (one, other) => {
      expect(text(...one) === text(...other)).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
    { seed: 20_261_120, numRuns: 1000 },
  );
});

test.each([
  ["empty", ""],
  ["too long", "a".repeat(513)],
  ["half a surrogate pair", "a\ud800"],
])("a part that is %s is refused", (_what, part) => {
  expect(vaultCode(() => associatedData("label", part))).toBe("bad_context");
});
