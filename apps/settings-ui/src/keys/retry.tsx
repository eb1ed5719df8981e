import { useEffect, useRef, useState } from "react";
import { brokerNow } from "../api/request.ts";
import type { Undetermined } from "../checks/check-text.ts";
import { durationText, useNow } from "../ui/time.tsx";

const waitSecondsDefault = 30;

/** Asks again by itself after a while, and at once when the person wants to. */
export function Retry({ check, onRetry }: { readonly check: Undetermined; readonly onRetry: () => void }) {
  const [until] = useState(() => brokerNow() + 1000 * (check.retryAfterSeconds ?? waitSecondsDefault));
  const left = Math.max(0, until - useNow(1000));
  const retry = useRef(onRetry);
  retry.current = onRetry;
  const blocked = check.code === "blocked_address";
  const due = left === 0 && !blocked;
  useEffect(() => {
    if (due) retry.current();
  }, [due]);
  if (blocked) return <p>Replace the address with one that can be reached from the internet.</p>;
  return (
    <p>
      We try again in <span className="tabular-nums">{durationText(left)}</span>.{" "}
      <button type="button" className="link font-medium" onClick={onRetry}>
        Try now
      </button>
    </p>
  );
}
