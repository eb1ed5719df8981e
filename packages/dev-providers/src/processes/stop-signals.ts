const repeatMs = 700;

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
