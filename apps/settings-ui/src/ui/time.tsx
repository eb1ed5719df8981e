import { useEffect, useState } from "react";
import { brokerNow } from "../api/request.ts";

/** The broker's time in milliseconds, renewed every `everyMs` while it is shown. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(brokerNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(brokerNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

const moment = new Intl.DateTimeFormat("en-GB", {
  weekday: "long",
  day: "numeric",
  month: "long",
  hour: "2-digit",
  minute: "2-digit",
});
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/**
 * A moment in the reader's own time zone; of today only the clock. With `on` it says when something happens: "on
 * Monday 30 November at 16:16"; without, it follows a word such as "until".
 */
export function Moment({ at, on = false }: { readonly at: string; readonly on?: boolean }) {
  const date = new Date(at);
  const today = date.toDateString() === new Date(brokerNow()).toDateString();
  if (today) return <time dateTime={at}>today at {clock.format(date)}</time>;
  return (
    <>
      {on && "on "}
      <time dateTime={at}>{moment.format(date)}</time>
    </>
  );
}

/** What is left until a moment, counted down in place; not announced, the moment itself is said beside it. */
export function Countdown({ until }: { readonly until: string }) {
  const left = Math.max(0, new Date(until).getTime() - useNow(1000));
  return (
    <span role="timer" aria-live="off" className="whitespace-nowrap tabular-nums">
      {durationText(left)}
    </span>
  );
}

/** "23 h 59 min", under an hour "12 min 05 s", under a minute "42 s". */
export function durationText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
  return minutes > 0 ? `${minutes} min ${pad(seconds % 60)} s` : `${seconds} s`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

/** A length of time that is agreed on: "24 hours", "90 minutes". */
export function spanText(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  const [amount, unit] = minutes >= 120 || minutes === 60 ? [minutes / 60, "hour"] : [minutes, "minute"];
  const rounded = Math.round(amount * 10) / 10;
  return `${rounded} ${unit}${rounded === 1 ? "" : "s"}`;
}
