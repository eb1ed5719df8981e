import type { ClosedReason } from "../state/closed.ts";

type Words = {
  readonly title: string;
  readonly what: string;
  readonly next?: string;
  /** A browser that is known needs none of `next`; one that may be is sent to the page without a link. */
  readonly reopens?: boolean;
  /** Whether a recovery code may help: as the first thing to try, or for anyone who has one. */
  readonly recovery?: "first" | "folded";
};

// A link helps only who has saved nothing: for everybody else it opens no more than masks, and nothing after the end.
const whoeverYouAre =
  "If you saved keys in this browser, open the settings page: you do not need a link for that. If you saved them elsewhere, use that browser or your recovery code. If you have not saved any yet, ask the tool that built your app for a new link.";

export const closedWords: Readonly<Record<ClosedReason, Words>> = {
  no_link: {
    title: "This browser cannot open any app yet",
    what: "This page belongs to one app. It opens without a link in the browser where you saved keys.",
    next: "If you saved keys elsewhere, use that browser or your recovery code. If you have not saved any yet, ask the tool that built your app for a link. Each link works once.",
    recovery: "folded",
  },
  link_broken: {
    title: "This link is incomplete",
    what: "Part of it is missing. This happens when a long link is cut off at the end of a line.",
    next: "Copy the whole link again and open it. If it still does not work, ask for a new one.",
    recovery: "folded",
  },
  link_used: {
    title: "This link was already opened",
    what: "For your safety, a link opens this page only once, and this link was already used.",
    next: `${whoeverYouAre} If you did not use the link, tell the people who sent it: somebody else may have it.`,
    reopens: true,
    recovery: "folded",
  },
  link_expired: {
    title: "This link has expired",
    what: "Links expire after a few days, and a newer link replaces an older one.",
    next: whoeverYouAre,
    reopens: true,
    recovery: "folded",
  },
  person_only: {
    title: "Only the person who saved the keys can open this",
    what: "A link is not enough here. If that was you, open this page in the browser where you saved them, or enter your recovery code. Your link has not been used up.",
    recovery: "first",
  },
  session_expired: {
    title: "Your visit has ended",
    what: "For your safety, a visit ends after an hour without use, and after 12 hours at the latest. The people who run this page can end it sooner. Anything you typed and did not save is lost.",
    next: whoeverYouAre,
    reopens: true,
    recovery: "folded",
  },
  left: {
    title: "You have left this page",
    what: "Everything you saved is kept, and you can close this tab.",
    next: whoeverYouAre,
    reopens: true,
    recovery: "folded",
  },
  forgotten: {
    title: "You have left this page",
    what: "Everything you saved is kept, and this browser no longer knows you. You can close this tab.",
    next: "To come back, use your recovery code, or another browser that knows you. A new link will not let you in.",
    recovery: "folded",
  },
  build_closed: {
    title: "This app has been closed",
    what: "The people who lent you the keys have closed it and deleted everything that was saved here. Your own accounts at the services are not affected.",
    next: "Ask them whether it can be opened again.",
  },
};
