/** Light or dark: the system's choice until the button says otherwise. */
import { button } from "./dom.ts";

export function startThemeSwitch(): void {
  const root = document.documentElement;
  button("theme").addEventListener("click", () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const shown = root.dataset.theme ?? system;
    root.dataset.theme = shown === "dark" ? "light" : "dark";
  });
}
