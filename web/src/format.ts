/** Figures as the page shows them. */

export function bytes(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(2)} MB`;
  if (count >= 1e5) return `${(count / 1e3).toFixed(0)} kB`;
  return `${count.toLocaleString("en")} B`;
}

/** Two or three digits that mean something: browsers' clocks are coarse. */
export function milliseconds(ms: number): string {
  return `${ms >= 10 ? ms.toFixed(0) : ms >= 1 ? ms.toFixed(1) : ms.toFixed(2)} ms`;
}

export function seconds(s: number): string {
  if (s < 0.1) return `${(s * 1000).toFixed(0)} ms`;
  return `${s >= 10 ? s.toFixed(0) : s.toFixed(2)} s`;
}

/** A ratio without false precision: 257, 12, 1.4. */
export function times(ratio: number): string {
  return `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(1)}×`;
}

/** `flatvel-a` as OpenFWI writes it: FlatVel-A. */
export function familyLabel(name: string): string {
  const [kind = "", variant = ""] = name.split("-");
  const spelled = kind.replace(/^(flat|curve)(vel|fault)$/, (_, a: string, b: string) => {
    return `${capital(a)}${capital(b)}`;
  });
  return `${capital(spelled)}-${variant.toUpperCase()}`;
}

function capital(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
