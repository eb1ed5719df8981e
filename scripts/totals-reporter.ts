import type { SerializedError } from "vitest";
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

export type Totals = { readonly passed: number; readonly failed: number; readonly skipped: number };

/**
 * Closes a run with one plain line, `N passed, N failed, N skipped`. The line is written while the process
 * exits, so nothing the runner prints can come after it.
 */
export default class TotalsReporter implements Reporter {
  #totals: Totals | undefined;

  onInit(): void {
    process.once("exit", (exitCode) => {
      process.stdout.write(`${totalsLine(closeTotals(this.#totals, exitCode))}\n`);
    });
  }

  onTestRunEnd(testModules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    this.#totals = countTotals(testModules, unhandledErrors.length);
  }
}

/** The line a run ends with; `.ci/run` looks for it. */
export function totalsLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * Counts tests. A file that did not load, a hook that threw and an error outside any test each count as one
 * failed test, and so does a test that was begun and never ended.
 */
export function countTotals(testModules: readonly TestModule[], unhandledErrorCount: number): Totals {
  const totals = { passed: 0, failed: unhandledErrorCount, skipped: 0 };
  for (const testModule of testModules) {
    if (testModule.errors().length > 0) totals.failed++;
    for (const suite of testModule.children.allSuites()) if (hasOwnErrors(suite)) totals.failed++;
    for (const test of testModule.children.allTests()) totals[outcomeOf(test)]++;
  }
  return totals;
}

// A run can fail with no failed test: no test file was found, or the runner itself broke.
function closeTotals(totals: Totals | undefined, exitCode: number): Totals {
  const known = totals ?? { passed: 0, failed: 0, skipped: 0 };
  return exitCode !== 0 && known.failed === 0 ? { ...known, failed: 1 } : known;
}

function hasOwnErrors(suite: TestSuite): boolean {
  return suite.errors().length > 0;
}

function outcomeOf(test: TestCase): keyof Totals {
  const { state } = test.result();
  return state === "pending" ? "failed" : state;
}
