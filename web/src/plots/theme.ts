/** Colours of the style sheet, for what is drawn on canvas. */

export interface Theme {
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly paper: string;
  readonly accent: string;
}

let current: Theme | undefined;

/** The colours in force; read from the style sheet once per change of theme. */
export function theme(): Theme {
  current ??= readTheme();
  return current;
}

/** Calls back when the system or the user changes between light and dark. */
export function onThemeChange(redraw: () => void): void {
  const changed = () => {
    current = undefined;
    redraw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  new MutationObserver(changed).observe(document.documentElement, {
    attributes: true,
    attributeFilter: ["data-theme"],
  });
}

/** One colour per device, apart for colour-blind readers as well (Okabe and Ito 2008); repeats. */
export function deviceColour(device: number): string {
  return DEVICE_COLOURS[device % DEVICE_COLOURS.length]!;
}

const DEVICE_COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9"];

function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: read("ink"),
    muted: read("muted"),
    line: read("line"),
    paper: read("paper"),
    accent: read("accent"),
  };
}
