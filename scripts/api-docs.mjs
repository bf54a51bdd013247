/**
 * The API reference, from the doc comments of what the package exports.
 *
 *     node scripts/api-docs.mjs            writes build/api/*.md, from the declarations in dist
 *     node scripts/api-docs.mjs --check    names exports without a doc comment, in src; exit code 1 if any
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("..", import.meta.url));
const sections = ["Classes", "Functions", "Constants", "Interfaces", "Types"];

if (process.argv.includes("--check")) check();
else write(resolve(root, "build/api"));

function check() {
  const missing = [];
  const seen = new Set();
  for (const { name, exports } of readEntries("src")) {
    for (const item of exports) {
      if (seen.has(item.symbol)) continue;
      seen.add(item.symbol);
      if (item.comment.text === "" && item.comment.tags.length === 0)
        missing.push(`${item.where}: ${item.name} (${name})`);
    }
  }
  for (const line of missing) console.error(`no doc comment: ${line}`);
  console.log(`${seen.size} exports, ${missing.length} without a doc comment`);
  process.exitCode = missing.length > 0 ? 1 : 0;
}

function write(folder) {
  mkdirSync(folder, { recursive: true });
  const entries = readEntries("dist");
  /** What several entries export is described once: where it comes first. */
  const homes = new Map();
  for (const entry of entries) {
    for (const { symbol } of entry.exports) if (!homes.has(symbol)) homes.set(symbol, entry);
  }
  for (const entry of entries) writeFileSync(join(folder, entry.file), entryPage(entry, homes));
  writeFileSync(join(folder, "README.md"), indexPage(entries));
  console.log(`${entries.length} entries in ${relative(process.cwd(), folder)}`);
}

/**
 * The package's entries with their exports, sorted by name.
 * @param {"src" | "dist"} tree where to read: sources, or the declarations made from them
 */
function readEntries(tree) {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const paths = Object.entries(manifest.exports)
    .filter(([, target]) => typeof target === "object" && target.types)
    .map(([key, { types }]) => ({
      name: join(manifest.name, key),
      path: join(
        root,
        tree === "dist" ? types : types.replace("./dist/", "src/").replace(".d.ts", ".ts"),
      ),
    }));
  const config = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram(
    paths.map(({ path }) => path),
    options,
  );
  const checker = program.getTypeChecker();
  return paths.map(({ name, path }) => {
    const source = program.getSourceFile(path);
    const module = source && checker.getSymbolAtLocation(source);
    if (!module) throw new Error(`${path}: expected a module, got none: run npm run build first`);
    const exports = checker.getExportsOfModule(module).map((symbol) => describe(symbol, checker));
    exports.sort((a, b) => (a.name < b.name ? -1 : 1));
    const about = headComment(source);
    return { name, file: `${name.replaceAll("/", ".")}.md`, about, exports };
  });
}

function describe(exported, checker) {
  const symbol =
    exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  const declarations = symbol.declarations ?? [];
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
  const tags = symbol.getJsDocTags(checker).map((tag) => ({
    name: tag.name,
    text: ts.displayPartsToString(tag.text).trim(),
  }));
  const first = declarations[0];
  const file = first?.getSourceFile();
  const line = first && file ? file.getLineAndCharacterOfPosition(first.getStart()).line + 1 : 0;
  return {
    name: exported.name,
    symbol,
    section: sectionOf(symbol),
    comment: { text, tags },
    code: declarations.map(declarationText).join("\n"),
    where: file ? `${relative(root, file.fileName)}:${line}` : "?",
  };
}

function sectionOf({ flags }) {
  if (flags & ts.SymbolFlags.Class) return "Classes";
  if (flags & ts.SymbolFlags.Function) return "Functions";
  if (flags & ts.SymbolFlags.Variable) return "Constants";
  return flags & ts.SymbolFlags.Interface ? "Interfaces" : "Types";
}

/** Without the comment in front, which is printed as prose, and without what is private. */
function declarationText(node) {
  const shown = ts.isVariableDeclaration(node) ? node.parent.parent : node;
  return shown
    .getText()
    .replace(/^(export )?(declare )?/, "")
    .replace(/^ +(#private;|private .*;)\n/gm, "");
}

/** The comment that opens a file, when it is about the file and not about its first declaration. */
function headComment(source) {
  const [range] = ts.getLeadingCommentRanges(source.text, 0) ?? [];
  if (!range || !source.text.startsWith("/**", range.pos)) return "";
  return source.text
    .slice(range.pos + 3, range.end - 2)
    .replace(/^ *\* ?/gm, "")
    .trim();
}

function entryPage({ name, about, exports }, homes) {
  const lines = [`# ${name}`, "", about, ""];
  for (const section of sections) {
    const items = exports.filter((item) => item.section === section);
    if (items.length > 0) lines.push(`## ${section}`, "");
    for (const item of items) {
      const home = homes.get(item.symbol);
      if (home.name === name) lines.push(...itemLines(item));
      else lines.push(`### ${item.name}`, "", `The same as in [${home.name}](${home.file}).`, "");
    }
  }
  return `${lines
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trimEnd()}\n`;
}

function itemLines({ name, comment, code }) {
  const tags = comment.tags.map(
    ({ name: tag, text }) => `* **${tag}** ${text.replace(/\s+/g, " ")}`,
  );
  return [`### ${name}`, "", comment.text, "", ...tags, "", "```ts", code, "```", ""];
}

function indexPage(entries) {
  const rows = entries.map(
    ({ name, file, exports, about }) =>
      `| [${name}](${file}) | ${exports.length} | ${about.split(/\.\s/)[0].replace(/\s+/g, " ")} |`,
  );
  const head = ["# API reference", "", "Made by `npm run docs:api`.", ""];
  return `${[...head, "| entry | exports | |", "|---|---|---|", ...rows].join("\n")}\n`;
}
