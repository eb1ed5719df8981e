/** Grey room for what is on its way; seen only when that takes more than a moment. */
export function Skeleton({ label, rows }: { readonly label: string; readonly rows: number }) {
  return (
    <div role="status" className="late space-y-3">
      <p className="text-ink-2">{label}</p>
      {Array.from({ length: rows }, (_, row) => `row ${row}`).map((row) => (
        <div key={row} className="h-18 rounded-card border border-line bg-sunken" />
      ))}
    </div>
  );
}
