/** The report's style sheet: one column of text, pictures in a grid, light and dark. */
export const reportStyle = `
:root {
  --paper: #fcfcfb; --card: #ffffff; --ink: #1b1d21; --soft: #5c626b; --line: #dfe2e6;
  --accent: #2f6f8f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14161a; --card: #1c1f25; --ink: #e8eaed; --soft: #9aa2ad; --line: #31363e;
    --accent: #6cb2d2;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
.product { margin: 0; color: var(--soft); font-size: .875rem; letter-spacing: .02em; }
h1 { margin: .1rem 0 0; font-size: 1.9rem; line-height: 1.2; font-weight: 650; }
.subtitle { margin: .4rem 0 0; color: var(--soft); max-width: 46rem; }
h2 { margin: 0 0 .6rem; font-size: 1.05rem; font-weight: 650; }
section { margin-top: 2.25rem; }
.headline {
  display: flex; flex-wrap: wrap; gap: 1px; margin: 1.75rem 0 0; background: var(--line); border: 1px solid var(--line);
  border-radius: 10px; overflow: hidden;
}
.headline div { flex: 1 1 9.5rem; display: flex; flex-direction: column; background: var(--card); padding: .9rem 1rem; }
.headline dd { margin: 0; font-size: 1.4rem; font-weight: 650; white-space: nowrap; font-variant-numeric: tabular-nums; }
.headline dt { color: var(--soft); font-size: .8125rem; line-height: 1.35; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 1rem; }
figure { margin: 0; padding: .5rem .5rem .75rem; background: #fff; border: 1px solid var(--line); border-radius: 10px; }
figure img { display: block; width: min(100%, 460px); height: auto; margin: 0 auto; }
figcaption { padding: .25rem .5rem 0; color: #5c626b; font-size: .8125rem; line-height: 1.35; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: baseline; }
th { color: var(--soft); font-size: .8125rem; font-weight: 500; }
.numbers td:nth-child(2), .numbers th:nth-child(2) { text-align: right; white-space: nowrap; width: 8rem; }
.numbers td:nth-child(n+4), .numbers th:nth-child(n+4) { text-align: right; white-space: nowrap; width: 8rem; }
.facts td:first-child { color: var(--soft); width: 12rem; }
.facts td { overflow-wrap: anywhere; }
small { color: var(--soft); font-size: .8125rem; margin-left: .35rem; }
.bar { display: block; min-width: 4rem; height: .5rem; border-radius: 3px; background: var(--line); overflow: hidden; }
.bar i { display: block; height: 100%; background: var(--accent); }
@media (max-width: 560px) {
  main { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.5rem; }
  small { display: block; margin-left: 0; }
  th, td { padding-right: .5rem; }
  .numbers td:nth-child(2), .numbers th:nth-child(2),
  .numbers td:nth-child(n+4), .numbers th:nth-child(n+4) { width: auto; }
}
@media print { body { background: #fff; } section { break-inside: avoid; } }
`;
