// Builds the page (web/) into dist/web. A build newer than all it is made from is kept: the first
// `npx epic` in a clone runs the build again.
import { existsSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = `${root}dist/web/index.html`;

if (!existsSync(built) || statSync(built).mtimeMs <= newestSource()) {
  const { build } = await import("vite");
  await build({ configFile: `${root}web/vite.config.ts` });
}

function newestSource() {
  const folders = ["web", "src"].flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`),
  );
  const files = [...folders, `${root}package-lock.json`, `${root}scripts/build-web.mjs`];
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}
