import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** The page runs and shows nothing that did not come with it. Only in what is built: Vite's development server needs more. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const policy = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY }, injectTo: "head-prepend" },
  ],
};

export default defineConfig({
  base: "./",
  plugins: [policy],
  build: {
    target: "es2022",
    outDir: fileURLToPath(new URL("../../target/web-demo/site", import.meta.url)),
    emptyOutDir: true,
  },
  // The package finds its .wasm beside its modules, so that these have to stay where they are.
  optimizeDeps: { exclude: ["@status-im/sds"] },
  server: { host: "127.0.0.1", fs: { allow: [".."] } },
  preview: { host: "127.0.0.1" },
});
