/** The same form with other last letters: what a copying mistake or a foreign key looks like. */
export function changeEnd(value: string): string {
  const end = value.slice(-4).replaceAll(/[A-Za-z0-9]/g, (letter) => {
    if (/[0-9]/.test(letter)) return letter === "7" ? "3" : "7";
    const changed = letter.toLowerCase() === "b" ? "d" : "b";
    return letter === letter.toLowerCase() ? changed : changed.toUpperCase();
  });
  return value.slice(0, -4) + end;
}
