/** Files by the files that they need at run time. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/**
 * The circles of a graph of imports: each is a list of files that need one another, in the order in which they were
 * found. Files of a circle are loaded in an order that nobody chose, and none of them can be read without the others.
 */
export function findCircles(graph: ImportGraph): string[][] {
  const circles: string[][] = [];
  const places = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const visit = (file: string): number => {
    const place = places.size;
    places.set(file, place);
    lowest.set(file, place);
    open.push(file);
    for (const needed of graph.get(file) ?? []) {
      const known = places.get(needed);
      const reached = known === undefined ? visit(needed) : open.includes(needed) ? known : place;
      lowest.set(file, Math.min(lowest.get(file) ?? place, reached));
    }
    if (lowest.get(file) === place) {
      const circle = open.splice(open.indexOf(file));
      if (circle.length > 1) circles.push(circle);
    }
    return lowest.get(file) ?? place;
  };
  for (const file of graph.keys()) if (!places.has(file)) visit(file);
  return circles;
}
