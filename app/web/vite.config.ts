import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  // vtk.js brings xmlbuilder2, which asks for Node's `events`: without this the built viewer ends in "Class extends value undefined".
  resolve: { alias: { events: fileURLToPath(new URL("node_modules/events/events.js", import.meta.url)) } },
  build: {
    outDir: "dist",
    target: "es2022",
    // These have light-dark() themselves: what is written in its place for older ones follows the page's theme, not the element's.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // The service's CSP refuses data: scripts and styles, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 3000, // cornerstone, which is fetched with the first study
  },
  server: {
    // `npm run dev` against a running service; only the developer's machine uses this.
    proxy: { "/api": process.env["UNIRG_API"] ?? "http://127.0.0.1:8080" },
  },
  test: {
    maxWorkers: 1,
    restoreMocks: true,
  },
});
