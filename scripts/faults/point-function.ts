/** What instrumented code calls at each of its awaits. */
export const pointFunction = "__keyloanPoint";
