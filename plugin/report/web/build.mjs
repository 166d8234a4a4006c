// Bundles the page's script and style into ../assets, with the licences of what is bundled.
// `npm ci --ignore-scripts && npm run build` here, or `make generate` at the root. An argument names another folder for them.
// The script begins with a digest of all that it is made of, by which a test tells that it is up to date.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const out = process.argv[2] ? pathToFileURL(`${process.argv[2]}/`) : new URL("../assets/", import.meta.url);
const here = (name) => new URL(name, import.meta.url);
const sources = ["build.mjs", "package-lock.json", ...readdirSync(here("src")).sort().map((f) => `src/${f}`)];
const digest = createHash("sha256");
for (const name of sources) digest.update(`${name}\n`).update(readFileSync(here(name)));
await build({
  entryPoints: { page: "src/main.js" },
  outdir: out.pathname,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2020",
  legalComments: "none",
  charset: "ascii",
  banner: { js: `/* made of sources with the digest ${digest.digest("hex")} */` },
});
await build({ entryPoints: { page: "src/style.css" }, outdir: out.pathname, bundle: true, minify: true, charset: "ascii" });

// What ends up in the bundle, as `npm ls --omit=dev --all` lists it.
const packages = ["sigma", "graphology", "graphology-layout-forceatlas2", "graphology-utils", "events"];
let text = "The page contains these libraries, bundled.\n";
for (const name of packages) {
  const dir = new URL(`node_modules/${name}/`, import.meta.url);
  const { version } = JSON.parse(readFileSync(new URL("package.json", dir)));
  const file = ["LICENSE.txt", "LICENSE", "LICENSE.md"].map((f) => new URL(f, dir)).find((f) => existsSync(f));
  text += `\n${name} ${version}\n\n${readFileSync(file, "utf8").trim()}\n`;
}
writeFileSync(new URL("licenses.txt", out), text.replaceAll("--", "- -"));
