/** What this process knows of its background work without asking the store. */
export type WorkWatch = {
  /** A round of some work went through. */
  readonly noteDone: (work: string) => void;
  readonly noteFailure: (work: string) => void;
  /** What has failed several times in a row, and how often; it goes on being tried. */
  readonly failing: () => readonly { readonly work: string; readonly times: number }[];
};

/** Once may be a busy store; so often in a row it does not pass by itself. */
const timesMin = 3;

export function createWorkWatch(): WorkWatch {
  const failures = new Map<string, number>();
  return {
    noteDone: (work) => {
      failures.delete(work);
    },
    noteFailure: (work) => {
      failures.set(work, (failures.get(work) ?? 0) + 1);
    },
    failing: () => [...failures].flatMap(([work, times]) => (times < timesMin ? [] : [{ work, times }])),
  };
}
