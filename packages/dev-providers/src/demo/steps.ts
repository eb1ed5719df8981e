import { LaunchError } from "../launch-error.ts";
import type { Terminal } from "../terminal.ts";

/** Takes one step of the demo and prints what came of it. */
export type Step = <T>(title: string, work: () => Promise<T>, tell?: (result: T) => string) => Promise<T>;

/** Steps that print a line each when they are done; the one that fails is named by the error. */
export function createStep({ line, paint, isInteractive }: Terminal): Step {
  return async (title, work, tell) => {
    const startedAt = performance.now();
    try {
      const result = await work();
      const told = tell === undefined ? title : `${title}: ${tell(result)}`;
      const time = `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
      const mark = isInteractive ? paint("green", "✓") : "ok  ";
      line(isInteractive ? `${mark} ${told} ${paint("dim", time)}` : `${mark}${told} (${time})`);
      return result;
    } catch (error) {
      const reason = error instanceof Error ? error.message : "no reason given";
      const remedy =
        error instanceof Error && "remedy" in error && error.remedy !== undefined ? ` ${error.remedy}` : "";
      throw new LaunchError(`The demo failed at "${title}": ${reason}${remedy}`, {
        detail: error instanceof LaunchError ? error.detail : [],
      });
    }
  };
}

/** @throws Error with the reason unless the condition holds */
export function must(condition: boolean, reason: string): void {
  if (!condition) throw new Error(reason);
}
