import type { ClosedReason } from "../state/closed.ts";

type Words = {
  readonly title: string;
  readonly what: string;
  readonly next?: string;
  /** A browser that is known needs none of `next`. */
  readonly reopens?: boolean;
  /** Whether a recovery code may help: as the first thing to try, or for who has one. */
  readonly recovery?: "first" | "folded";
};

const newLink =
  "Go back to the tool that built your app and ask it for a new link. What you saved is kept as long as the app is.";

export const closedWords: Readonly<Record<ClosedReason, Words>> = {
  no_link: {
    title: "Open your link to begin",
    what: "This page belongs to one app. A link from the tool that built it opens it, and so does the browser in which you saved keys.",
    next: "Go to that tool and open the link it gives you. It works once, so use a fresh one.",
    recovery: "folded",
  },
  link_broken: {
    title: "This link is not whole",
    what: "A part of it is missing. That happens when a long link is cut at the end of a line.",
    next: "Copy the whole link again and open it. If it still does not work, ask for a new one.",
    recovery: "folded",
  },
  link_used: {
    title: "This link was opened before",
    what: "For your safety a link opens this page once, and this one was used already.",
    next: `If that was you: ${newLink.charAt(0).toLowerCase()}${newLink.slice(1)} If it was not you, tell the people who sent it: somebody else may have your link.`,
    recovery: "folded",
  },
  link_expired: {
    title: "This link has expired",
    what: "Links wait only for some days, and a newer link ends an older one.",
    next: newLink,
    recovery: "folded",
  },
  person_only: {
    title: "Only the person who saved the keys can open this",
    what: "A link is not enough here. If it was you, open this page in the browser in which you saved them, or enter your recovery code. Your link was not used up.",
    recovery: "first",
  },
  session_expired: {
    title: "Your visit has ended",
    what: "For your safety this page closes after an hour without use. What you typed and did not save is forgotten.",
    next: newLink,
    reopens: true,
    recovery: "folded",
  },
  left: {
    title: "You have left this page",
    what: "What you saved is kept, and you can close this tab.",
    next: "To come back, use your recovery code, or ask the tool that built your app for a new link.",
    reopens: true,
    recovery: "folded",
  },
  build_closed: {
    title: "This app has been closed",
    what: "The people who lent the keys have ended it, and with it everything that was saved here. Your own accounts at the services are not touched.",
    next: "Ask them whether it can be opened again.",
  },
};
