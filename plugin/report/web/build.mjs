// Bundles the page's script and style into ../assets, with the licences of what is bundled.
// `npm ci --ignore-scripts && npm run build` here, or `make page` at the root.
import { build } from "esbuild";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const out = new URL("../assets/", import.meta.url);
await build({
  entryPoints: { page: "src/main.js" },
  outdir: out.pathname,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2020",
  legalComments: "none",
  charset: "ascii",
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
