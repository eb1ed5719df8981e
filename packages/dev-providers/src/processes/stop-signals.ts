const repeatMs = 700;
const parentCheckMs = 500;

/**
 * Ctrl-C, a closed terminal or a request to end. A package manager in between may pass the same signal
 * on a second time; only one that comes later means that somebody is impatient.
 */
export function onStopSignal(stop: () => void, stopNow: () => void): void {
  let firstAt: number | undefined;
  const listener = () => {
    firstAt ??= performance.now();
    if (performance.now() - firstAt > repeatMs) stopNow();
    else stop();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, listener);
}

/** Calls `stop` when the process that started this one is gone: nobody could stop this one any more. */
export function onParentEnd(stop: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, parentCheckMs);
  timer.unref();
}
